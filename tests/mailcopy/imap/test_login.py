import base64
import hashlib
import logging
import traceback
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.errors import ConnectionCut, LoginRefused, MailError
from reconciler.mailcopy.imap.credentials import WITHHELD, Sent
from reconciler.mailcopy.imap.login import Login, MasterAuth, MasterUser, OAuth2, OwnPassword, Proxied, ProxyAuth
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.imap.session import session
from reconciler.model.secret import Secret
from tests.fakes.login_server import LoginServer

ODD = ["pä£ss", "tab\there", 'q"uo\\te %s{5}', " lead and trail ", "日本語の鍵", "\x01\x7f", "{3}", "", "(list)", "NIL"]


def entered(server: LoginServer, login: Login) -> str:
    """What is said where the login fails; empty if it does not."""
    try:
        with session(Server("127.0.0.1", server.port, Security.LOOPBACK, timeout=10), login):
            return ""
    except MailError as error:
        return str(error)


def own(secret: str, user: str = "ann") -> OwnPassword:
    return OwnPassword(user, lambda: Secret(secret))


@pytest.mark.parametrize("announces", [b"IMAP4rev1", b"IMAP4rev1 AUTH=PLAIN", b"IMAP4rev1 LITERAL+",
                                       b"IMAP4rev1 LITERAL-", b"IMAP4rev1 LOGINDISABLED AUTH=PLAIN",
                                       b"IMAP4rev1 AUTH=PLAIN SASL-IR"])  # fmt: skip
@pytest.mark.parametrize("secret", ODD)
@pytest.mark.parametrize("user", ["ann@example.org", "änn", 'a"n\tn'])
def test_any_password_and_name_opens_the_mailbox(announces: bytes, secret: str, user: str) -> None:
    with LoginServer({user.encode(): secret.encode()}, announces) as server:
        assert entered(server, own(secret, user)) == ""
        assert server.inside == [user.encode()]
        both_quotable = (user + secret).isascii() and (user + secret).isprintable()
        assert (b"AUTHENTICATE PLAIN" in server.got) == (b"PLAIN" in announces and not both_quotable) or (
            b"LOGINDISABLED" in announces
        )


@pytest.mark.parametrize("announces", [b"", b" SASL-IR"])
@pytest.mark.parametrize(("takes", "prompts"), [(False, b""), (True, b""), (False, b"go on, please")])
def test_an_answer_in_advance_is_sent_again_where_it_is_not_taken(announces, takes, prompts) -> None:
    users = {"änn".encode(): b"right", b"ann": b"token"}
    announced = b"IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2" + announces
    with LoginServer(users, announced, takes_initial=takes, prompts=prompts) as server:
        assert entered(server, own("right", "änn")) == ""
        assert entered(server, OAuth2("ann", lambda: Secret("token"))) == ""
        assert "refuses the login" in entered(server, own("wröng"))
        assert server.inside == ["änn".encode(), b"ann"]


@pytest.mark.parametrize("secret", ["two\nlines", "one\rreturn", "n\0l", "half \udce4"])
@pytest.mark.parametrize("announces", [b"IMAP4rev1", b"IMAP4rev1 AUTH=PLAIN"])
def test_what_no_login_can_carry_is_refused_before_anything_is_sent(secret: str, announces: bytes) -> None:
    with LoginServer({b"ann": b""}, announces) as server:
        said = entered(server, own(secret))
        assert "nothing was sent" in said
        assert "as ann: the password" in said
        assert b"ann" not in server.got
        assert "the login name" in entered(server, own("pw", f"ann{secret}"))
        assert b"LOGIN" not in server.got


def test_a_server_that_wants_another_encoding_is_told_from_a_wrong_password() -> None:
    with LoginServer({b"ann": "pä£ss".encode("latin-1")}) as server:
        assert "the password is outside ASCII and was sent as UTF-8" in entered(server, own("pä£ss"))
        assert "ASCII" not in entered(server, own("wrong"))
        assert "the login name is outside ASCII" in entered(server, own("pw", "änn"))


def test_a_server_that_takes_no_literals_says_so() -> None:
    with LoginServer({b"ann": "pä£ss".encode()}, refuses_literals=True) as server:
        said = entered(server, own("pä£ss"))
        assert "no literals here; the password is outside ASCII" in said
        assert "pä£ss" not in said


def test_a_server_without_passwords_gets_none() -> None:
    with LoginServer({b"ann": b"pw"}, b"IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2") as server:
        assert "offers no login with a password; it may want OAuth 2 for ann" in entered(server, own("pw"))
        assert b"pw" not in server.got


def test_what_a_server_says_before_it_closes_is_told_as_it_said_it() -> None:
    with (
        LoginServer({}, closes=b"[UNAVAILABLE] come back at noon\x1b[2J") as server,
        pytest.raises(ConnectionCut, match=r"no connection to 127.0.0.1:\d+: \[UNAVAILABLE\] come back at noon \[2J$"),
        session(Server("127.0.0.1", server.port, Security.LOOPBACK, timeout=10), own("pw")),
    ):
        pass


@pytest.mark.parametrize("announces", [b"IMAP4rev1 X-NETSCAPE", b"IMAP4rev1 LOGINDISABLED AUTH=PLAIN"])
@pytest.mark.parametrize("user", ["ann@example.org", "änn b"])
def test_a_store_administrator_becomes_the_user(announces: bytes, user: str) -> None:
    with LoginServer({b"root": b"pw", user.encode(): b"x"}, announces, admins=frozenset({b"root"})) as server:
        login = ProxyAuth(user, "root", lambda: Secret("pw"))
        assert login.is_admin
        assert entered(server, login) == ""
        assert server.inside == [user.encode()]
        assert (b"PROXYAUTH ann@example.org\r\n" in server.got) == (user == "ann@example.org")
        said = entered(server, ProxyAuth("bob", "root", lambda: Secret("pw")))
        assert "refuses the login of bob" in said
        assert "is root a store administrator there?" in said


def test_where_proxyauth_is_not_known_the_other_way_is_named() -> None:
    with LoginServer({b"root": b"pw"}) as server:
        said = entered(server, ProxyAuth("ann", "root", lambda: Secret("pw")))
    assert "refuses the login of ann: unknown; " in said
    assert "login: authzid may do" in said


@pytest.mark.parametrize("secret", ["master pw", "mäster"])
def test_a_master_password_opens_any_mailbox_and_never_crosses_the_wire(secret: str) -> None:
    with LoginServer({b"ann@example.org": b"x"}, master=secret.encode()) as server:
        login = MasterAuth("ann@example.org", lambda: Secret(secret))
        assert login.is_admin
        assert entered(server, login) == ""
        assert server.inside == [b"ann@example.org"]
        assert secret.encode() not in server.got
        assert "is there such a user?" in entered(server, MasterAuth("bob", lambda: Secret(secret)))
        said = entered(server, MasterAuth("ann@example.org", lambda: Secret("wrong")))
        assert "is master authentication on there" in said


def test_where_x_masterauth_is_not_known_nothing_but_its_name_is_sent() -> None:
    with LoginServer({b"ann": b"pw"}) as server:
        said = entered(server, MasterAuth("ann", lambda: Secret("pw")))
        assert "refuses the login of ann: unknown; is master authentication on there" in said
        assert b"pw" not in server.got


def test_a_refused_token_is_told_with_the_reason_behind_it() -> None:
    with LoginServer({b"ann": b"right"}, b"IMAP4rev1 AUTH=XOAUTH2") as server:
        assert entered(server, OAuth2("ann", lambda: Secret("right"))) == ""
        said = entered(server, OAuth2("ann", lambda: Secret("wrong")))
    assert '{"status":"400"}' in said
    assert "wrong" not in said


def test_own_logins_get_no_advice_for_administrators() -> None:
    with LoginServer({}) as server:
        said = entered(server, own("pw")) + entered(server, OAuth2("ann", lambda: Secret("token")))
    assert "admin" not in said.lower()
    assert "master" not in said.lower()


KINDS: list[Callable[[str, str], Login]] = [
    lambda user, secret: OwnPassword(user, lambda: Secret(secret)),
    lambda user, secret: MasterUser(user, "root", lambda: Secret(secret)),
    lambda user, secret: Proxied(user, "root", lambda: Secret(secret)),
    lambda user, secret: ProxyAuth(user, "root", lambda: Secret(secret)),
    lambda user, secret: MasterAuth(user, lambda: Secret(secret)),
    lambda user, secret: OAuth2(user, lambda: Secret(secret)),
]


def forms(user: str, secret: str) -> set[str]:
    """Every form in which a secret goes out, with what is left of one in BASE64 without its padding."""
    names = [("", user), (user, "root"), ("", f"{user}*root"), ("", "root")]
    long = [base64.b64encode("\0".join((*pair, secret)).encode()).decode().rstrip("=") for pair in names]
    token = base64.b64encode(f"user={user}\1auth=Bearer {secret}\1\1".encode()).decode().rstrip("=")
    alone = base64.b64encode(secret.encode()).decode().rstrip("=")
    digest = hashlib.md5(b"<4711.42@login.example>" + secret.encode()).hexdigest()
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    return {secret, quoted, *long, token, alone, digest}


secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=4, max_size=30)
names = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9
)
ECHOES: list[Callable[[bytes], bytes]] = [
    lambda command: b"NO you said " + command.replace(b"\r\n", b" ").strip(),
    lambda command: b"NO [ALERT] " + command.replace(b"\r\n", b" ")[:60].strip(),
    lambda command: b"BAD <" + b"><".join(command.split()) + b">",
    lambda command: b"NO " + command.split()[-1][3:-2] if command.split() else b"NO",
]


@pytest.fixture(scope="module")
def parrot():
    with LoginServer({}, b"IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2", admins=frozenset({b"root"}), master=b"m") as server:
        yield server


@given(names, secrets, st.sampled_from(KINDS), st.sampled_from(ECHOES), st.booleans())
def test_no_form_of_a_secret_is_shown_wherever_a_server_echoes_it(
    parrot: LoginServer,
    user: str,
    secret: str,
    kind: Callable[[str, str], Login],
    says: Callable[[bytes], bytes],
    plain: bool,
) -> None:
    parrot.says, parrot.announces = says, b"IMAP4rev1 AUTH=PLAIN SASL-IR" if plain else b"IMAP4rev1"
    assume(not any(secret.strip() in frame for frame in _frames(parrot, user)))
    said = entered(parrot, kind(user, secret))
    assert said
    for form in forms(user, secret):
        assert form not in said, form


def _frames(server: LoginServer, user: str) -> list[str]:
    """What we say ourselves, where a weak password may happen to stand."""
    refused = f"127.0.0.1:{server.port} refuses the login of {user}: ***; "
    hints = (
        "this mailbox waits for new credentials",
        "is master authentication on there, also for this machine's address, with this password?",
        "the password is outside ASCII and was sent as UTF-8; if it is right, this server wants one in ASCII",
        "the login name is outside ASCII and was sent as UTF-8; if it is right, this server wants one in ASCII",
    )
    return [*(refused + hint for hint in hints), WITHHELD]


@given(secrets, st.text(max_size=20), st.text(max_size=20))
def test_words_around_a_secret_do_not_matter(secret: str, before: str, behind: str) -> None:
    sent = Sent()
    sent.reveal(Secret(secret))
    for form in (secret, secret.upper(), base64.b64encode(secret.encode()).decode()):
        said = sent.freed(f"{before}{form}{behind}")
        assert form not in said or form in WITHHELD
        assert said.isprintable()


def test_neither_logs_nor_what_is_behind_an_exception_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    with LoginServer({}, b"IMAP4rev1 AUTH=PLAIN", says=ECHOES[0]) as server:
        for secret in ("hunter2-plain", "hunter2-pä£ss", "hunter2\udce4", "hunter2\n"):
            try:
                with session(Server("127.0.0.1", server.port, Security.LOOPBACK, timeout=10), own(secret)):
                    pass
            except LoginRefused as error:
                seen: BaseException | None = error
                while seen:
                    said += repr(seen) + repr(vars(seen))
                    seen = seen.__cause__ or seen.__context__
                said += "".join(traceback.format_exception(error))
    assert said.count("LoginRefused") > 3
    assert "hunter2" not in said + caplog.text
    assert base64.b64encode(b"\0ann\0hunter2-plain").decode()[:-4] not in said + caplog.text
