"""The connection by itself: what a server says before it goes, what nobody waits for, and one command at a time."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.imap.session import Session, open_session, session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.model.secret import Secret
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddities import OneAtATime, Refuses, When
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import ImapServer
from tests.lab.mailbox import endpoint

ENOUGH = 2000  # sends: the kernel tells of a connection that is closed after the first or second


@contextmanager
def logged_in(*oddities: Oddity) -> Iterator[tuple[ImapServer, Session]]:
    server = ImapServer({b"INBOX": Folder(mails(2))}, *oddities)
    try:
        end = endpoint(server, "ann@example.org", password="pw")
        with session(end.server, end.login) as opened:
            yield server, opened
    finally:
        server.stop()


def answers(opened: Session, *commands: bytes) -> list[tuple[bool, bool]]:
    tags = [opened.wire.command(command) for command in commands]
    found = {r.tag: (r.ok, r.bad) for r in opened.wire.until(*tags) if isinstance(r, Answer)}
    return [found[tag] for tag in tags]


def test_bad_to_a_command_without_a_message_is_an_answer_like_no() -> None:
    with logged_in(Refuses(When("NAMESPACE"), b"BAD Unknown command")) as (_, opened):
        assert answers(opened, b"NAMESPACE", b"NOOP") == [(False, True), (True, False)]


def test_bad_to_a_command_with_a_message_ends_the_connection_and_says_to_which() -> None:
    with logged_in(Refuses(When("NOOP"), b"BAD Command Argument Error. 11")) as (_, opened):
        tag = opened.wire.tag()
        opened.wire.send(tag + b" NOOP\r\n")
        with pytest.raises(ProtocolBroken) as caught:
            opened.wire.read()
        assert (caught.value.words, caught.value.tag) == ("Command Argument Error. 11", tag)


class SaysBye(socketserver.StreamRequestHandler):
    """Takes a login, says BYE to the command after it and is gone, whatever may still come."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := self.rfile.readline():
            tag, verb, *_ = line.split()
            if verb.upper() not in {b"CAPABILITY", b"LOGIN"}:
                self.wfile.write(b"* BYE Too many errors\r\n")
                return
            self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")


def flood(opened: Session) -> None:
    for _ in range(ENOUGH):
        opened.wire.send(b"x" * 65536)


def test_what_the_server_said_before_it_went_is_told_where_sending_fails() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SaysBye) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        end = Endpoint(
            Server("127.0.0.1", server.server_address[1], Security.LOOPBACK, timeout=20),
            OwnPassword("ann", lambda: Secret("pw")),
        )
        opened = open_session(end.server, end.login)
        opened.wire.command(b"NOOP")
        with pytest.raises(ConnectionCut) as caught:
            flood(opened)
        server.shutdown()
    assert caught.value.words == "Too many errors"
    assert "Broken pipe" not in str(caught.value)


def test_nobody_hears_the_answer_to_what_was_said_aside() -> None:
    with logged_in(Refuses(When("ID"), b"BAD Unknown command")) as (server, opened):
        opened.wire.aside(b'ID ("name" "reconciler")')
        assert answers(opened, b"NOOP") == [(True, False)]
        assert server.heard("ID")


def test_in_series_each_command_waits_for_the_answer_before_it() -> None:
    with logged_in(OneAtATime()) as (_, opened):
        assert (False, True) in answers(opened, b"EXAMINE INBOX", b"UID FETCH 1:* (UID)", b"NOOP")
        opened.wire.serial = True
        assert answers(opened, b"EXAMINE INBOX", b"UID FETCH 1:* (UID)", b"NOOP") == [(True, False)] * 3
