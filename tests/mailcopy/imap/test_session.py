import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import ConnectionCut, LoginRefused, MailboxSuspect
from reconciler.mailcopy.imap.login import OAuth2, OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.imap.session import session
from reconciler.mailcopy.imap.survey import survey
from reconciler.model.secret import Secret
from tests.lab.dovecot import MASTER, Dovecot
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    made = Dovecot("session")
    made.add_user("ann")
    made.add_user("odd", 'p"a\\ss word')
    made.add_user("umlaut", "pässwörd")
    made.add_user("kanji", "鍵 {9}\\")
    yield made.start()
    made.remove()


def password(user: str, secret: str | None = None) -> OwnPassword:
    return OwnPassword(user, lambda: Secret(secret or f"pw-{user}"))


def tls(server: Dovecot, **options: Any) -> Server:
    return Server("127.0.0.1", server.tls_port, timeout=10, **options)


def fingerprint(server: Dovecot) -> str:
    der = ssl.PEM_cert_to_DER_cert((server.root / "cert.pem").read_text())
    return hashlib.sha256(der).hexdigest()


def test_a_certificate_is_verified(server: Dovecot) -> None:
    with session(tls(server, ca_file=str(server.root / "cert.pem")), password("ann")) as opened:
        assert opened.can("IMAP4REV1")
    with pytest.raises(LoginRefused, match="ca_file"), session(tls(server), password("ann")):
        pass


def test_the_name_in_the_certificate_is_verified(server: Dovecot) -> None:
    named = replace(tls(server, ca_file=str(server.root / "cert.pem")), host="127.0.0.2")
    with pytest.raises((LoginRefused, ConnectionCut)), session(named, password("ann")):
        pass


def test_a_pinned_certificate_is_the_one_or_nothing_is_sent(server: Dovecot) -> None:
    logins = server.log().count("Login:")
    pinned = tls(server, fingerprint=":".join(fingerprint(server)[n : n + 2].upper() for n in range(0, 64, 2)))
    with session(pinned, password("ann")) as opened:
        assert survey(opened).messages == 0
    with pytest.raises(LoginRefused, match="fingerprint"), session(tls(server, fingerprint="00" * 32), password("ann")):
        pass
    assert server.log().count("Login:") == logins + 1


def test_starttls_is_demanded(server: Dovecot) -> None:
    ca = str(server.root / "cert.pem")
    wanted = Server("127.0.0.1", server.port, Security.STARTTLS, ca_file=ca, timeout=10)
    with session(wanted, password("ann")) as opened:
        assert opened.can("IMAP4REV1")
    with (
        Proxy(server.port, edit=lambda octets: octets.replace(b"STARTTLS", b"STARTTLX")) as proxy,
        pytest.raises(LoginRefused, match="TLS"),
        session(replace(wanted, port=proxy.own_port), password("ann")),
    ):
        pass


def test_without_tls_only_this_machine_is_talked_to() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        Server("192.0.2.1", 143, Security.LOOPBACK)
    with pytest.raises(ValueError, match="in the clear"):
        Server("localhost.example", 143, Security.LOOPBACK)


@pytest.mark.parametrize(("user", "secret"), [("odd", 'p"a\\ss word'), ("umlaut", "pässwörd"), ("kanji", "鍵 {9}\\")])
@pytest.mark.parametrize("hides", [b"", b"AUTH=PLAIN", b"LITERAL+"])
def test_passwords_with_quotes_and_umlauts_work(user: str, secret: str, hides: bytes, server: Dovecot) -> None:
    def edit(octets: bytes) -> bytes:
        shown = octets.replace(b"AUTH=PLAIN", b"AUTH=XLAIN") if hides else octets
        return shown.replace(b"LITERAL+", b"XITERAL+") if hides == b"LITERAL+" else shown

    with (
        Proxy(server.port, edit=edit) as proxy,
        session(Server("127.0.0.1", proxy.own_port, Security.LOOPBACK), password(user, secret)) as opened,
    ):
        assert opened.user == user
        assert opened.can("IDLE"), "what was announced after the login counts"


def test_a_name_with_a_line_end_is_no_second_command(server: Dovecot) -> None:
    login = password("ann\r\nx1 CREATE Pwned", "pw-ann")
    with pytest.raises(LoginRefused), session(Server("127.0.0.1", server.port, Security.LOOPBACK), login):
        pass


def test_a_login_method_that_the_server_lacks_is_refused_without_the_token(server: Dovecot) -> None:
    login = OAuth2("ann", lambda: Secret("secret-token"))
    with (
        pytest.raises(LoginRefused) as caught,
        session(Server("127.0.0.1", server.port, Security.LOOPBACK), login),
    ):
        pass
    assert "secret-token" not in str(caught.value)


def test_a_server_that_repeats_a_password_is_not_quoted(server: Dovecot) -> None:
    with (
        Proxy(server.port, edit=lambda octets: octets.replace(b"Authentication failed", b"not wr0ng-one")) as proxy,
        pytest.raises(LoginRefused, match=r"not \*\*\*") as caught,
        session(Server("127.0.0.1", proxy.own_port, Security.LOOPBACK), password("ann", "wr0ng-one")),
    ):
        pass
    assert "wr0ng-one" not in repr(caught.value)


def test_a_master_user_without_rights_sees_no_empty_mailbox_but_an_error() -> None:
    acl = "mail_plugins = acl\nprotocol imap {\n mail_plugins = acl imap_acl\n}\nplugin {\n acl = vfile\n}\n"
    trapped = Dovecot("trap", extra=acl, userdb="")
    trapped.add_user("ann")
    folder = trapped.maildir("ann") / "cur"
    folder.mkdir(parents=True)
    (folder / "1.m.h:2,").write_bytes(b"Message-ID: <1@x>\n\nbody\n")
    trapped.own(folder.parent.parent)
    trapped.start()
    try:
        login = OwnPassword(f"ann*{MASTER[0]}", lambda: Secret(MASTER[1]))
        with (
            pytest.raises(MailboxSuspect, match="only looks empty"),
            session(Server("127.0.0.1", trapped.port, Security.LOOPBACK), login) as opened,
        ):
            survey(opened)
    finally:
        trapped.remove()
