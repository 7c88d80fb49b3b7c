"""Passwords that LOGIN's quoted strings cannot carry, and words that hold what was sent."""

import base64
from collections.abc import Callable

import pytest

from reconciler.mailcopy.job import State
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_server import ImapServer
from tests.fakes.imap_words import credentials
from tests.support.mail_move import moving

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
            known = credentials(command.args[1] if len(command.args) > 1 else at.challenge())
            return Reply(b"NO bad login: " + self.form(known[1] if known else b""))
        return None


def as_quoted(password: bytes) -> bytes:
    return b'"' + password.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def as_plain(password: bytes) -> bytes:
    return base64.b64encode(b"\0ann@example.org\0" + password)


@pytest.mark.parametrize("password", ["secret-word", 'sec"ret\\word', "sécret-wörd"])
@pytest.mark.parametrize(
    ("capabilities", "form"),
    [
        ("IMAP4rev1", bytes),
        ("IMAP4rev1", as_quoted),
        ("IMAP4rev1 LOGINDISABLED AUTH=PLAIN", bytes),
        ("IMAP4rev1 LOGINDISABLED AUTH=PLAIN", as_plain),
        ("IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR", as_plain),
        ("IMAP4rev1 LOGINDISABLED AUTH=PLAIN", base64.b64encode),
    ],
)
def test_no_form_of_a_password_is_ever_told(form: Callable[[bytes], bytes], capabilities: str, password: str) -> None:
    with moving(ImapServer({}, Echoes(form), capabilities=capabilities), ImapServer(), password=password) as move:
        report = move.copy()
        assert report.state is State.AUTH_LOST, report
        octets = password.encode()
        told = [octets, as_quoted(octets).strip(b'"'), as_plain(octets), base64.b64encode(octets)]
        assert not [form for sent in told for form in spellings(sent) if form in report.words], report.words


def spellings(sent: bytes) -> set[str]:
    """As text, and as Python shows it."""
    return {sent.decode(), repr(sent.decode())[1:-1], repr(sent)[2:-1]}


def test_control_characters_in_a_servers_words_reach_nobody() -> None:
    class Colours(Oddity):
        def hear(self, at, command):
            return Reply(b"NO \x1b[31mred\x07 \x9b1m word") if command.verb == "LOGIN" else None

    with moving(ImapServer({}, Colours(), capabilities="IMAP4rev1"), ImapServer()) as move:
        report = move.copy()
        assert report.state is State.AUTH_LOST
        assert report.words.isprintable()
