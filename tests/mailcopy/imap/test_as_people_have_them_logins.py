"""Passwords that LOGIN's quoted strings cannot carry, and words that hold what was sent."""

import base64
from collections.abc import Callable

import pytest

from reconciler.mailcopy.job import State
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_server import ImapServer
from tests.support.mail_move import MailMove, moving

PASSWORDS = ["pä£ss", 'q"uo\\te %s{5}', "tab\there", " lead and trail ", "日本語", "{5+}", "100%", "a\\", '"', "~!(*)["]


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 UIDPLUS", "IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 LITERAL+"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_gets_through(password: str, capabilities: str) -> None:
    with moving(*pair(password, capabilities), password=password) as move:
        report = move.copy()
        assert (report.state, move.standing()) == (State.DONE, {"INBOX": ["hello 1", "hello 2"]}), report


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_server_without_login_gets_sasl_plain(password: str) -> None:
    with moving(*pair(password, "IMAP4rev1 LOGINDISABLED AUTH=PLAIN"), password=password) as move:
        assert move.copy().state is State.DONE
        assert not move.old.heard("LOGIN")


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 UIDPLUS", "IMAP4rev1 AUTH=PLAIN"])
def test_a_user_outside_ascii_gets_through(capabilities: str) -> None:
    user = "jörg@example.org"
    servers = [
        ImapServer({b"INBOX": Folder(mails(1))}, capabilities=capabilities, passwords={user.encode(): b"pw"})
        for _ in range(2)
    ]
    with moving(*servers) as move:
        move.user = user
        assert move.copy().state is State.DONE


def pair(password: str, capabilities: str) -> tuple[ImapServer, ImapServer]:
    known = {b"ann@example.org": password.encode()}
    old = ImapServer({b"INBOX": Folder(mails(2))}, capabilities=capabilities, passwords=known)
    return old, ImapServer(capabilities=capabilities, passwords=known)


class Echoes(Oddity):
    """Refuses a login and says what it heard, as some proxies and gateways do."""

    def __init__(self, form: Callable[[bytes], bytes]) -> None:
        self.form = form

    def hear(self, at, command):
        if command.verb == "LOGIN":
            return Reply(b"NO bad login: " + self.form(command.args[1]))
        if command.verb == "AUTHENTICATE":
            return Reply(b"NO bad login: " + self.form(base64.b64decode(command.args[1]).split(b"\0")[-1]))
        return None


def as_quoted(password: bytes) -> bytes:
    return b'"' + password.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def as_plain(password: bytes) -> bytes:
    return base64.b64encode(b"\0ann@example.org\0" + password)


@pytest.mark.parametrize("password", ["secret-word", 'sec"ret\\word', "sécret-wörd"])
@pytest.mark.parametrize("form", [bytes, as_quoted, as_plain, base64.b64encode])
def test_no_form_of_a_password_is_ever_told(form: Callable[[bytes], bytes], password: str) -> None:
    old = ImapServer({}, Echoes(form), capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR")
    with moving(old, ImapServer(), password=password) as move:
        report = move.copy()
        assert report.state is State.AUTH_LOST
        assert_untold(move, report.words, password)


def assert_untold(_: MailMove, words: str, password: str) -> None:
    octets = password.encode()
    forms = [octets, as_quoted(octets).strip(b'"'), as_plain(octets), base64.b64encode(octets)]
    for form in forms:
        assert form.decode() not in words, words
        assert repr(form.decode())[1:-1] not in words, words
        assert repr(form)[2:-1] not in words, words


def test_control_characters_in_a_servers_words_reach_nobody() -> None:
    class Colours(Oddity):
        def hear(self, at, command):
            return Reply(b"NO \x1b[31mred\x07 \x9b1m word") if command.verb == "LOGIN" else None

    with moving(ImapServer({}, Colours(), capabilities="IMAP4rev1"), ImapServer()) as move:
        report = move.copy()
        assert report.state is State.AUTH_LOST
        assert report.words.isprintable()
