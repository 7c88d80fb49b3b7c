import logging
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from reconciler.errors import Unanswered
from reconciler.model.secret import Secret
from reconciler.transports.http import Answer, Http, Login, Request, Site
from tests.fakes.certificates import Certificate, authority, self_signed
from tests.fakes.web_server import Reply, WebServer
from tests.support.clock import FakeClock

NAME = "box.example.net"
BUSY = Reply(503, b"later")
LOGIN = Login("ann@example.org", Secret("pass-word-1"))


class Scene:
    """Servers and clients that end with the test; pauses move the clock on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.ends: list[Callable[[], None]] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def serve(self, *replies: Reply, certificate: Certificate | None = None) -> WebServer:
        web = WebServer(*replies, tls=certificate.context(self.folder) if certificate else None)
        self.ends.append(web.stop)
        return web

    def client(self, site: Site) -> Http:
        http = Http(site, self.clock, self.pause)
        self.ends.insert(0, http.close)
        return http

    def plain(self, *replies: Reply) -> tuple[Http, WebServer]:
        web = self.serve(*replies)
        return self.client(Site(f"http://127.0.0.1:{web.port}")), web

    def named(self, web: WebServer, name: str = NAME, fingerprint: str | None = None) -> Http:
        """By the address, under the name."""
        return self.client(Site(f"https://{name}:{web.port}/admin", "127.0.0.1", fingerprint))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    (tmp_path / "authorities.pem").write_bytes(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    made = Scene(tmp_path)
    yield made
    for end in made.ends:
        end()


def get(http: Http) -> Answer:
    return http.ask(Request("GET", "/x", LOGIN))


def post(http: Http) -> Answer:
    return http.ask(Request("POST", "/x", LOGIN, form={"password": "secret-form"}))


# TLS


def test_it_connects_to_an_address_and_verifies_the_name(scene: Scene) -> None:
    web = scene.serve(certificate=authority().sign(NAME))
    answer = get(scene.named(web))
    assert (answer.status, answer.text) == (200, "ok")
    assert answer.asked == f"GET https://{NAME}:{web.port}/admin/x"
    assert web.asked[0].headers["host"] == f"{NAME}:{web.port}"
    assert web.asked[0].path == "/admin/x"


def test_a_certificate_for_another_name_is_refused_before_anything_is_sent(scene: Scene) -> None:
    certificate = authority().sign("other.example.net")
    web = scene.serve(certificate=certificate)
    with pytest.raises(Unanswered, match=r"cannot be trusted for box\.example\.net") as caught:
        get(scene.named(web))
    assert not caught.value.sent
    assert web.asked == []
    assert scene.pauses == []
    assert shown(certificate) in str(caught.value)


def test_a_self_signed_certificate_is_refused_with_the_line_to_add(scene: Scene) -> None:
    certificate = self_signed(NAME)
    web = scene.serve(certificate=certificate)
    with pytest.raises(Unanswered, match=f"write `fingerprint: {shown(certificate)}` into the options"):
        post(scene.named(web))
    assert web.asked == []


def test_a_pinned_certificate_is_enough(scene: Scene) -> None:
    certificate = self_signed("whatever")
    web = scene.serve(certificate=certificate)
    assert get(scene.named(web, fingerprint=certificate.fingerprint)).status == 200


def test_another_certificate_than_the_pinned_one_is_refused_before_anything_is_sent(scene: Scene) -> None:
    certificate, pinned = authority().sign(NAME), self_signed(NAME)
    web = scene.serve(certificate=certificate)
    with pytest.raises(Unanswered, match="another certificate than the one in `fingerprint`") as caught:
        post(scene.named(web, fingerprint=pinned.fingerprint))
    assert not caught.value.sent
    assert web.asked == []
    assert shown(certificate) in str(caught.value)
    assert shown(pinned) in str(caught.value)


def test_a_server_without_tls_is_named(scene: Scene) -> None:
    web = scene.serve()
    with pytest.raises(Unanswered, match=r"127.0.0.1 port \d+ and this machine cannot agree on TLS"):
        get(scene.named(web))
    assert web.asked == []


# Trying again


def test_a_busy_server_is_asked_again_when_it_wishes(scene: Scene) -> None:
    http, web = scene.plain(Reply(503, headers={"Retry-After": "7"}), Reply(429, headers={"Retry-After": "0"}), Reply())
    assert get(http).status == 200
    assert len(web.asked) == 3
    assert scene.pauses == [7.0, 0.0]


def test_the_wish_may_be_a_date(scene: Scene) -> None:
    at = format_datetime(scene.clock.now() + timedelta(seconds=30), usegmt=True)
    http, _ = scene.plain(Reply(503, headers={"Retry-After": at}), Reply())
    assert get(http).status == 200
    assert scene.pauses == [30.0]


def test_without_a_wish_the_pauses_grow_and_the_last_answer_counts(scene: Scene) -> None:
    http, web = scene.plain(BUSY)
    assert get(http).status == 503
    assert len(web.asked) == 4
    assert scene.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("wish", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_server_that_wishes_for_hours_is_left_alone(scene: Scene, wish: str) -> None:
    http, web = scene.plain(Reply(503, headers={"Retry-After": wish}))
    assert get(http).status == 503
    assert len(web.asked) == 1
    assert scene.pauses == []


def test_a_wish_that_cannot_be_read_is_none(scene: Scene) -> None:
    http, _ = scene.plain(Reply(503, headers={"Retry-After": "soon"}), Reply())
    assert get(http).status == 200
    assert scene.pauses == [0.5]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_is_never_sent_again(scene: Scene, method: str) -> None:
    http, web = scene.plain(Reply(503, headers={"Retry-After": "1"}), Reply())
    assert http.ask(Request(method, "/x")).status == 503
    assert len(web.asked) == 1


def test_half_an_answer_is_asked_for_again_where_that_is_safe(scene: Scene) -> None:
    http, web = scene.plain(Reply(body=b"half", promised=8), Reply(body=b"whole"))
    assert get(http).text == "whole"
    assert len(web.asked) == 2


def test_half_an_answer_to_a_change_leaves_it_in_doubt(scene: Scene) -> None:
    http, web = scene.plain(Reply(body=b"half", promised=8))
    with pytest.raises(Unanswered, match="was cut short") as caught:
        post(http)
    assert caught.value.sent
    assert len(web.asked) == 1


def test_a_server_that_is_down_is_named(scene: Scene) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        http = scene.client(Site(f"http://localhost:{port}", "127.0.0.1"))
        with pytest.raises(Unanswered, match=rf"GET http://localhost:{port}/x: 127.0.0.1 port {port} cannot") as caught:
            get(http)
    assert not caught.value.sent
    assert scene.pauses == [0.5, 1.0, 2.0]


# Where a password goes


def test_no_redirect_and_no_proxy_of_the_environment_is_followed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = scene.serve()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    http, web = scene.plain(Reply(301, headers={"Location": f"http://127.0.0.1:{proxy.port}/"}))
    assert get(http).status == 301
    assert len(web.asked) == 1
    assert proxy.asked == []


def test_no_log_message_or_repr_has_a_secret(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    http, _ = scene.plain(Reply(body=b"the-session-key"), Reply(body=b"the-session-key", promised=99))
    answer = post(http)
    with pytest.raises(Unanswered) as caught:
        post(http)
    request = Request("POST", "/x", LOGIN, form={"password": "secret-form"}, headers={"X-Auth-Token": "123456"})
    everything = f"{caplog.text} {caught.value} {caught.value.__cause__!r} {answer!r} {request!r} {http.site!r}"
    for secret in ("pass-word-1", "secret-form", "the-session-key", "123456", "YW5uQGV4YW1wbGU"):
        assert secret not in everything
    assert "POST" in caplog.text


def shown(certificate: Certificate) -> str:
    text = certificate.fingerprint.upper()
    return ":".join(text[at : at + 2] for at in range(0, 64, 2))
