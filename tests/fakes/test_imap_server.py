"""The scripted server, seen by Python's own client."""

import imaplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fakes.imap_folders import Folder, Mail, mails, message
from tests.fakes.imap_noise import LowerCase, NamesAsLiterals
from tests.fakes.imap_odd_lists import ListStops, StatusWithout
from tests.fakes.imap_odd_rows import ItemsInOrder, MoreItems, RowSays, SplitRows
from tests.fakes.imap_odd_targets import FoldsCase, KeywordLimit
from tests.fakes.imap_oddities import (
    ClosesAfterErrors,
    HangsUp,
    KeepsFolderOpen,
    OneAtATime,
    ReadingKills,
    Refuses,
    WantsId,
    When,
)
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import EVERYTHING, ORDINARY, ImapServer

WHOLE = "(UID FLAGS INTERNALDATE RFC822.SIZE)"


def folders() -> dict[bytes, Folder]:
    return {b"INBOX": Folder(mails(3)), b"Work": Folder(mails(2, 10), subscribed=True)}


@contextmanager
def talking(*oddities: Oddity, capabilities: str = EVERYTHING) -> Iterator[tuple[ImapServer, imaplib.IMAP4]]:
    with ImapServer(folders(), *oddities, capabilities=capabilities) as server:
        client = imaplib.IMAP4("127.0.0.1", server.port)
        client.login("ann", "pw")
        try:
            yield server, client
        finally:
            client.shutdown()


def test_an_ordinary_server_lists_opens_and_shows_what_it_holds() -> None:
    with talking() as (server, client):
        assert client.list()[1] == [b'() "/" "INBOX"', b'() "/" "Work"']
        assert client.list('""', '"Wo%"')[1] == [b'() "/" "Work"']
        assert client.lsub()[1] == [b'() "/" "Work"']
        assert client.namespace()[1] == [b'(("" "/")) NIL NIL']
        assert client.status("Work", "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")[1] == [
            b'"Work" (MESSAGES 2 UIDNEXT 12 UIDVALIDITY 11 HIGHESTMODSEQ 1)'
        ]
        assert client.select("Work", readonly=True)[1] == [b"2"]
        assert client.uid("FETCH", "11:*", WHOLE)[1] == [
            b'2 (UID 11 FLAGS () INTERNALDATE "05-Mar-2024 10:00:11 +0000" RFC822.SIZE %d)' % len(message(11))
        ]
        assert client.uid("FETCH", "10", "(UID BODY.PEEK[])")[1][0][1] == message(10)
        assert client.uid("FETCH", "10", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1] == b"Subject: mail 10\r\n\r\n"
        assert client.uid("SEARCH", "ALL")[1] == [b"10 11"]
        assert client.uid("STORE", "10", "+FLAGS", r"(\Seen)")[0] == "NO"
        assert [command.verb for command in server.said[:2]] == ["CAPABILITY", "LOGIN"]


def test_an_ordinary_server_keeps_what_it_is_given() -> None:
    with talking() as (server, client):
        assert client.create("New")[0] == "OK"
        assert client.create("new/")[0] == client.subscribe("New")[0] == "OK"
        assert client.create("New")[0] == "NO"
        assert client.append("New", r"(\Seen)", '"01-Feb-2024 00:00:00 +0100"', b"Subject: s\r\n\r\n(text)")[1] == [
            b"[APPENDUID 11 1] done"
        ]
        assert client.append("None", None, None, b"x")[1] == [b"[TRYCREATE] no such mailbox"]
        client.select("New")
        client.uid("STORE", "1", "+FLAGS.SILENT", "(k1)")
        assert server.folders[b"New"].mails == [
            Mail(1, b"Subject: s\r\n\r\n(text)", r"\Seen k1", "01-Feb-2024 00:00:00 +0100", modseq=3)
        ]
        assert server.folders[b"New"].subscribed
        assert client.uid("FETCH", "1:*", "(UID FLAGS)", "(CHANGEDSINCE 2)")[1] == [
            rb"1 (UID 1 FLAGS (\Seen k1) MODSEQ (3))"
        ]


def said(server: ImapServer, *lines: bytes) -> bytes:
    """What comes back to octets that imaplib would not send."""
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.sendall(b"".join(lines) + b"z LOGOUT\r\n")
        return b"".join(iter(lambda: plain.recv(65536), b""))


def test_literals_go_with_and_without_asking_and_many_in_one_command() -> None:
    with ImapServer(folders(), capabilities=EVERYTHING) as server:
        heard = said(
            server, b"a LOGIN {3+}\r\nann {2}\r\npw\r\n", b'b APPEND "Work" (\\Seen) {2+}\r\nab {3+}\r\ncde\r\n'
        )
        assert b"+ go ahead\r\na OK done\r\nb OK [APPENDUID 11 12:13] done\r\n" in heard
        assert [(mail.body, mail.flags) for mail in server.folders[b"Work"].mails[2:]] == [
            (b"ab", "\\Seen"),
            (b"cde", ""),
        ]
        extended = said(server, b'a LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT))\r\n')
        assert b'* LIST (\\Subscribed) "/" "Work"\r\n* STATUS "Work" (MESSAGES 4 UIDNEXT 14)\r\n' in extended
    with ImapServer(folders(), capabilities=ORDINARY) as server:
        heard = said(server, b'b APPEND "Work" {2+}\r\nab {3+}\r\ncde\r\n', b'c LIST "" "*" RETURN (SUBSCRIBED)\r\n')
        assert b"b BAD " in heard
        assert b"c BAD " in heard


def test_a_password_is_asked_for_in_every_form() -> None:
    with ImapServer(passwords={"änn".encode(): b'q"\\'}) as server:
        octets = "änn".encode()
        assert b"a OK" in said(server, b"a LOGIN {4+}\r\n" + octets + b' "q\\"\\\\"\r\n')
        assert b"a BAD" in said(server, b'a LOGIN "' + octets + b'" "q\\"\\\\"\r\n')
        assert b"a OK" in said(server, b"a AUTHENTICATE PLAIN AMOkbm4AcSJc\r\n")
        assert b"a OK" in said(server, b"a AUTHENTICATE PLAIN\r\nAMOkbm4AcSJc\r\n")
        assert b"a NO" in said(server, b"a LOGIN ann pw\r\n")


def test_rows_can_be_altered_by_several_oddities_at_once() -> None:
    odd = (
        RowSays(b"INTERNALDATE", b"NIL", uid=2),
        SplitRows(b"FLAGS"),
        ItemsInOrder(last=(b"UID",)),
        MoreItems("envelope"),
        LowerCase(),
    )
    with ImapServer(folders(), *odd) as server:
        heard = said(server, b"a EXAMINE INBOX\r\nb UID FETCH 2 " + WHOLE.encode() + b"\r\n")
        assert b"\r\n* 2 fetch (flags () uid 2)\r\n" in heard
        assert b"internaldate NIL" in heard
        heard = said(server, b"a EXAMINE INBOX\r\nb UID FETCH 2 (UID BODY.PEEK[])\r\n")
        assert heard.index(b"ENVELOPE".lower()) < heard.index(b"body[] {")


def test_lists_can_stop_and_tell_less() -> None:
    odd = (ListStops(1), StatusWithout((b"UIDNEXT",)), NamesAsLiterals())
    with ImapServer(folders(), *odd) as server:
        heard = said(server, b'a LIST "" "*"\r\n', b"b STATUS Work (MESSAGES UIDNEXT)\r\n", b"c EXAMINE Work\r\n")
        assert b'* LIST () "/" {5}\r\nINBOX\r\na NO LIST failed\r\n* STATUS {4}\r\nWork (MESSAGES 2)\r\nb OK' in heard
        assert b"[UIDNEXT" not in heard


def test_it_refuses_and_hangs_up_where_it_is_told_to() -> None:
    odd = (
        Refuses(When("APPEND", holding=b"mail 7\r\n"), b"BAD Command Argument Error. 11"),
        HangsUp(When("STATUS", name=b"Work", after=1), bye=b"* BYE so long\r\n"),
        ReadingKills(2, bye=b"* BYE Connection closed. 14\r\n"),
    )
    with ImapServer(folders(), *odd) as server:
        seven = message(7)
        heard = said(
            server, b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(seven), seven), b"b STATUS Work (MESSAGES)\r\n" * 2
        )
        assert heard.endswith(b"b OK done\r\n* BYE so long\r\n")
        assert b"a BAD Command Argument Error. 11\r\n" in heard
        heard = said(server, b"a EXAMINE INBOX\r\nb UID FETCH 1:3 (UID BODY.PEEK[])\r\n")
        assert heard.endswith(b"hello 1\r\n)\r\n* BYE Connection closed. 14\r\n")


def test_it_can_be_stateful_about_clients() -> None:
    with ImapServer(folders(), WantsId(), capabilities=EVERYTHING) as server:
        heard = said(server, b"a EXAMINE Work\r\nb ID NIL\r\nc EXAMINE Work\r\n")
        assert b"a NO EXAMINE Unsafe Login" in heard
        assert b"c OK" in heard
    locked = Refuses(When("EXAMINE", name=b"Work"), b"NO locked")
    with ImapServer(folders(), locked, KeepsFolderOpen(), ClosesAfterErrors(1)) as server:
        heard = said(server, b"a EXAMINE INBOX\r\nb EXAMINE Work\r\nc UID FETCH 1 (FLAGS)\r\nd NO\r\n")
        assert b"c OK" in heard
        assert b"* BYE Connection closed. 14\r\n" in heard
    with ImapServer(folders(), OneAtATime(wait=0.2)) as server:
        assert b"b BAD Unsupported command" in said(server, b"a EXAMINE INBOX\r\nb UID FETCH 1 (FLAGS)\r\n")


@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
def test_it_can_be_odd_as_a_target(capabilities: str) -> None:
    odd = (FoldsCase(), KeywordLimit(1))
    with talking(*odd, capabilities=capabilities) as (_, client):
        assert client.create("WORK")[0] == "NO"
        assert client.append("work", "(k1)", None, b"x")[0] == "OK"
        assert client.append("work", "(k2)", None, b"x")[0] == "NO"
        assert client.append("work", r"(\Seen k1)", None, b"x")[0] == "OK"
