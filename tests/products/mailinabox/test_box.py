"""Getting into a Mail-in-a-Box and keeping a session, against the fake one."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.errors import ObserveError, WriteError
from reconciler.model.secret import Secret
from reconciler.products.mailinabox import totp as miab_totp
from reconciler.products.mailinabox.box import Box, Doubtful, box
from reconciler.products.mailinabox.options import BoxOptions
from tests.fakes.box_scene import PASSWORD, TOTP, BoxSecrets
from tests.fakes.mailinabox import FakeBox
from tests.support.clock import FakeClock


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeBox(self.clock)
        self.secrets = BoxSecrets()
        self.pauses: list[float] = []
        self.boxes: list[Box] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def options(self, **given: object) -> BoxOptions:
        plain = {"url": self.fake.url, "email": self.fake.admin, "password": "env:ADMIN"}
        return BoxOptions.model_validate({k: v for k, v in {**plain, **given}.items() if v is not None})

    def box(self, **given: object) -> Box:
        made = Box(self.options(**given), self.secrets, self.clock, self.pause).opened()
        self.boxes.append(made)
        return made

    def with_totp(self) -> None:
        self.fake.state.users[self.fake.admin].totp = TOTP

    def code(self) -> str:
        return miab_totp.code(Secret(TOTP), self.clock.now())


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    for each in made.boxes:
        each.close()
    made.fake.stop()


def test_it_logs_in_once_and_uses_the_session_for_everything(scene: Scene) -> None:
    box = scene.box()
    assert box.json("/dns/zones") == ["box.example.net"]
    assert box.text("/mail/domains") == "box.example.net\n"
    box.post("/dns/update")
    assert scene.fake.asked("POST /login") == 1
    assert len(scene.fake.state.sessions) == 1


def test_many_threads_log_in_once(scene: Scene) -> None:
    box = scene.box()
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda _: box.text("/mail/domains"), range(16)))
    assert scene.fake.asked("POST /login") == 1


def test_the_last_to_close_it_logs_out(scene: Scene) -> None:
    box = scene.box().opened()
    box.text("/mail/domains")
    box.close()
    assert len(scene.fake.state.sessions) == 1
    scene.boxes.clear()
    box.close()
    assert scene.fake.state.sessions == {}


def test_closing_a_box_that_gives_no_answer_any_more_is_no_error(scene: Scene) -> None:
    box = scene.box()
    box.text("/mail/domains")
    scene.boxes.clear()
    scene.fake.fault("POST /logout", "drop after")
    box.close()
    assert scene.fake.asked("POST /logout") == 1


def test_mail_and_zones_of_a_box_share_one_session(scene: Scene) -> None:
    first, second = (box(scene.options(), scene.secrets, scene.clock) for _ in range(2))
    scene.boxes += [first, second]
    assert first is second
    assert box(scene.options(api_key="env:KEY", password=None), scene.secrets, scene.clock) is not first


# Wrong passwords


def test_a_wrong_password_is_tried_once_by_all_threads_together(scene: Scene) -> None:
    scene.secrets.known["env:ADMIN"] = "not-the-password"
    box = scene.box()

    def read(_: int) -> str:
        with pytest.raises(ObserveError) as caught:
            box.text("/mail/domains")
        return str(caught.value)

    with ThreadPoolExecutor(max_workers=8) as pool:
        said = set(pool.map(read, range(16)))
    assert scene.fake.refused == 1
    assert len(said) == 1
    message = said.pop()
    assert f"refused the login for {scene.fake.admin}" in message
    assert "knows no such administrator and password" in message
    assert "locks out" in message
    assert "not-the-password" not in message
    with pytest.raises(WriteError, match="refused the login"):
        box.post("/dns/update")
    assert scene.fake.refused == 1


def test_a_user_who_is_no_administrator_is_told_so(scene: Scene) -> None:
    scene.fake.state.add_user({"email": "ann@example.org", "password": PASSWORD})
    with pytest.raises(ObserveError, match="no administrator of the box: make it one"):
        scene.box(email="ann@example.org").text("/mail/domains")
    assert [path for _, path in scene.fake.calls] == ["/login"]


def test_a_password_outside_ascii_is_not_even_sent(scene: Scene) -> None:
    scene.secrets.known["env:ADMIN"] = "pässword1"
    with pytest.raises(ObserveError, match="outside ASCII") as caught:
        scene.box().text("/mail/domains")
    assert scene.fake.calls == []
    assert "pässword1" not in str(caught.value)


def test_a_reference_that_leads_nowhere_is_named(scene: Scene) -> None:
    del scene.secrets.known["env:ADMIN"]
    with pytest.raises(ObserveError, match="env:ADMIN leads nowhere"):
        scene.box().text("/mail/domains")
    assert scene.fake.calls == []


# Two-factor authentication


def test_a_one_time_code_is_sent_at_the_login_alone(scene: Scene) -> None:
    scene.with_totp()
    box = scene.box(totp="env:TOTP")
    box.text("/mail/domains")
    box.text("/mail/domains")
    assert scene.fake.asked("POST /login") == 1
    assert scene.pauses == []


def test_a_code_that_an_earlier_run_has_used_is_followed_by_the_next_one(scene: Scene) -> None:
    scene.with_totp()
    scene.fake.state.users[scene.fake.admin].last_code = scene.code()
    scene.box(totp="env:TOTP").text("/mail/domains")
    assert scene.fake.asked("POST /login") == 2
    assert scene.pauses == [30.0]


def test_an_expired_code_is_tried_twice_and_said_with_what_to_look_at(scene: Scene) -> None:
    scene.with_totp()
    scene.fake.state.clock = FakeClock()
    scene.fake.state.clock.advance(3600)
    box = scene.box(totp="env:TOTP")
    for _ in range(2):
        with pytest.raises(ObserveError, match="did not take the one-time code: is the clock right") as caught:
            box.text("/mail/domains")
        assert TOTP not in str(caught.value)
    assert scene.fake.refused == 2


def test_a_missing_code_names_the_option(scene: Scene) -> None:
    scene.with_totp()
    with pytest.raises(ObserveError, match="give `totp`"):
        scene.box().text("/mail/domains")
    assert scene.fake.refused == 1


def test_a_secret_that_is_none_is_named_and_not_shown(scene: Scene) -> None:
    scene.with_totp()
    scene.secrets.known["env:TOTP"] = "no base32 here!"
    with pytest.raises(ObserveError, match="env:TOTP: it cannot be used for one-time codes") as caught:
        scene.box(totp="env:TOTP").text("/mail/domains")
    assert "here!" not in str(caught.value)
    assert scene.fake.calls == []


# Sessions end


def test_a_session_that_the_daemon_has_forgotten_is_replaced(scene: Scene) -> None:
    box = scene.box()
    box.text("/mail/domains")
    scene.fake.state.restart()
    assert box.text("/mail/domains") == "box.example.net\n"
    scene.fake.state.restart()
    box.post("/mail/aliases/add", address="info@example.org", forwards_to="x@elsewhere.example")
    assert scene.fake.asked("POST /login") == 3
    assert "info@example.org" in scene.fake.state.aliases


def test_a_new_session_waits_for_a_new_code(scene: Scene) -> None:
    scene.with_totp()
    box = scene.box(totp="env:TOTP")
    box.text("/mail/domains")
    scene.fake.state.restart()
    box.text("/mail/domains")
    assert scene.pauses == [30.0]
    assert scene.fake.asked("POST /login") == 2


def test_a_password_that_was_changed_meanwhile_ends_it(scene: Scene) -> None:
    box = scene.box()
    box.text("/mail/domains")
    scene.fake.state.set_password({"email": scene.fake.admin, "password": "Another-Pass-1"})
    with pytest.raises(ObserveError, match="knows no such administrator"):
        box.text("/mail/domains")
    with pytest.raises(ObserveError, match="knows no such administrator"):
        box.text("/mail/domains")
    assert scene.fake.refused == 2  # the session, then the password


def test_an_administrator_who_lost_the_right_is_told_so_and_does_not_log_in_again(scene: Scene) -> None:
    box = scene.box()
    box.text("/mail/domains")
    scene.fake.state.users[scene.fake.admin].privileges.clear()
    with pytest.raises(WriteError, match="no administrator of the box"):
        box.post("/dns/update")
    assert scene.fake.asked("POST /login") == 1


# Keys


def test_a_session_key_of_another_tool_is_used_as_it_is(scene: Scene) -> None:
    scene.secrets.known["env:KEY"] = scene.fake.state.log_in(scene.fake.admin)
    assert scene.box(password=None, api_key="env:KEY").text("/mail/domains") == "box.example.net\n"
    assert scene.fake.asked("POST /login") == 0


def test_a_key_of_another_tool_is_not_logged_out(scene: Scene) -> None:
    scene.secrets.known["env:KEY"] = scene.fake.state.log_in(scene.fake.admin)
    box = scene.box(password=None, api_key="env:KEY")
    box.text("/mail/domains")
    scene.boxes.clear()
    box.close()
    assert scene.fake.asked("POST /logout") == 0


def test_the_system_key_needs_no_address(scene: Scene) -> None:
    scene.secrets.known["env:KEY"] = scene.fake.state.system_key
    assert scene.box(password=None, email=None, api_key="env:KEY").text("/mail/domains") == "box.example.net\n"


def test_a_key_that_is_gone_says_why_keys_go(scene: Scene) -> None:
    scene.secrets.known["env:KEY"] = "0123456789abcdef"
    with pytest.raises(ObserveError, match="keys are lost when its management daemon restarts") as caught:
        scene.box(password=None, api_key="env:KEY").text("/mail/domains")
    assert "0123456789abcdef" not in str(caught.value)
    assert scene.fake.refused == 1


# Answers


def test_half_a_list_is_asked_for_again_and_then_is_an_error(scene: Scene) -> None:
    box = scene.box()
    scene.fake.fault("GET /mail/domains", "half")
    assert box.text("/mail/domains") == "box.example.net\n"
    for _ in range(4):
        scene.fake.fault("GET /mail/domains", "half")
    with pytest.raises(ObserveError, match=r"GET http://.*/mail/domains: the answer of .* was cut short"):
        box.text("/mail/domains")


def test_a_body_that_is_no_json_is_an_error(scene: Scene) -> None:
    with pytest.raises(ObserveError, match="no whole JSON"):
        scene.box().json("/mail/domains")


def test_a_refusal_gives_the_words_of_the_box(scene: Scene) -> None:
    with pytest.raises(WriteError, match=r"That's not an alias \(x@example.org\)\.. Nothing was changed"):
        scene.box().post("/mail/aliases/remove", address="x@example.org")


@pytest.mark.parametrize("fault", ["break", "break after", "drop after", "half"])
def test_what_breaks_off_is_in_doubt(scene: Scene, fault: str) -> None:
    box = scene.box()
    scene.fake.fault("POST /mail/aliases/add", fault)
    with pytest.raises(Doubtful):
        box.post("/mail/aliases/add", address="info@example.org", forwards_to="x@elsewhere.example")
    assert scene.fake.asked("POST /mail/aliases/add") == 1


def test_a_url_that_leads_elsewhere_is_said(scene: Scene) -> None:
    with pytest.raises(ObserveError, match="is this the URL of its control panel"):
        scene.box(url=f"{scene.fake.url}/webmail").text("/mail/domains")


def test_a_box_that_is_down_is_an_error_of_reading_or_of_writing(scene: Scene) -> None:
    box = scene.box(url="http://127.0.0.1:9")
    with pytest.raises(ObserveError, match="cannot be reached"):
        box.text("/mail/domains")
    with pytest.raises(WriteError, match=r"cannot be reached.*Nothing was sent"):
        box.post("/dns/update")


def test_a_busy_box_is_read_when_it_wishes(scene: Scene) -> None:
    box = scene.box()
    scene.fake.fault("GET /mail/domains", "busy 12")
    assert box.text("/mail/domains") == "box.example.net\n"
    assert scene.pauses == [12.0]


def test_no_log_shows_a_secret(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.with_totp()
    code = scene.code()
    box = scene.box(totp="env:TOTP")
    box.post("/mail/users/add", email="ann@example.org", password="Secret-Pass-9")
    (key,) = scene.fake.state.sessions
    for secret in (PASSWORD, TOTP, code, key, "Secret-Pass-9"):
        assert secret not in caplog.text
        assert secret not in repr(vars(box))
