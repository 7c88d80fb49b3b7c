"""Servers that list folders oddly: LIST, LSUB, NAMESPACE, STATUS and what opening a folder tells."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.imap_oddities import Refuses, When
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_words import Command, quoted

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection

_LISTS = ("LIST", "LSUB")


@dataclass
class ListStops(Oddity):
    """LIST gives some rows and then NO: Zimbra with a broken mountpoint (``NO LIST failed``), Exchange as LSUB too."""

    rows: int = 2
    words: bytes = b"NO LIST failed"
    verb: str = "LIST"

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == self.verb and not _asks_nothing(command):
            reply.lines, reply.end = reply.lines[: self.rows], self.words


@dataclass
class ListsByLevel(Oddity):
    """NO to LIST with ``*``, and levels with ``%`` work: servers with news groups or a huge shared tree (UW IMAP)."""

    words: bytes = b"NO LIST * is not permitted, use %"
    rows: int = 0

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "LIST" and b"*" in command.args[1]:
            reply.lines, reply.end = reply.lines[: self.rows], self.words


def _asks_nothing(command: Command) -> bool:
    return command.args[1:2] == [b""]


def lsub_refused(words: bytes = b"BAD Unknown command") -> Oddity:
    """No subscriptions at all: servers without LSUB (IMAP4rev2 only, as Stalwart may be), some gateways."""
    return Refuses(When("LSUB"), words)


def namespace_refused(words: bytes = b"BAD Unknown command") -> Oddity:
    """NAMESPACE announced and not done: hMailServer, proxies that announce what their best backend can."""
    return Refuses(When("NAMESPACE"), words)


def return_refused(words: bytes = b"BAD LIST takes two arguments") -> Oddity:
    """LIST-EXTENDED or LIST-STATUS announced and not done (Yahoo, proxies in front of mixed backends)."""
    return Refuses(When("LIST", holding=b"STATUS"), words)


def highestmodseq_refused(words: bytes = b"BAD Unknown status item") -> Oddity:
    """CONDSTORE announced, and STATUS does not know HIGHESTMODSEQ (Dovecot before 1.2, Oracle Beehive)."""
    return Refuses(When("STATUS", holding=b"HIGHESTMODSEQ"), words)


def changedsince_refused(words: bytes = b"BAD Unknown modifier") -> Oddity:
    """CONDSTORE announced, and FETCH does not know CHANGEDSINCE (FirstClass, some proxies)."""
    return Refuses(When("UID FETCH", holding=b"CHANGEDSINCE"), words)


@dataclass
class StatusWithout(Oddity):
    """STATUS that lacks items, and the OK codes of EXAMINE likewise: mail.163.com tells no UIDNEXT.

    See chatmail/core#5049. ``items`` empty: STATUS tells nothing, ``* STATUS "INBOX" ()``. ``folder``: of one only.
    """

    items: tuple[bytes, ...] = ()
    folder: bytes | None = None
    opening_too: bool = True

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        about = [self.folder] if self.folder else list(at.server_of.folders)
        for number, line in enumerate(reply.lines):
            if isinstance(line, bytes) and line.startswith(tuple(b"* STATUS %s" % quoted(name) for name in about)):
                head, _, told = line.rpartition(b"(")
                reply.lines[number] = head + b"(" + self._less(told.removesuffix(b")\r\n")) + b")\r\n"
        if command.verb in {"SELECT", "EXAMINE"} and self.opening_too and command.name in about:
            gone = tuple(b"* OK [%s " % item for item in self.items)
            reply.lines = [
                line for line in reply.lines if not (gone and isinstance(line, bytes) and line.startswith(gone))
            ]

    def _less(self, told: bytes) -> bytes:
        words = told.split()
        kept = zip(words[::2], words[1::2], strict=True)
        return b" ".join(b"%s %s" % pair for pair in kept if self.items and pair[0] not in self.items)


@dataclass
class StatusSays(Oddity):
    """STATUS gives one item another value: ``NIL``, ``-1``, a number for the whole account."""

    item: bytes
    value: bytes

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        reply.lines = [
            re.sub(rb"\b%s \d+" % self.item, self.item + b" " + self.value, line)
            if isinstance(line, bytes) and line.startswith(b"* STATUS ")
            else line
            for line in reply.lines
        ]


def slashed(name: bytes) -> bytes:
    """A name with its separators another way round, as gateways in front of Exchange do."""
    return name.replace(b".", b"/") if b"." in name else name.replace(b"/", b".")


@dataclass
class StatusSpelled(Oddity):
    """STATUS answers with the folder's name in another spelling: in other case, without quotes, below INBOX.

    Domino and GroupWise; Yahoo without its quotes; Courier's ``INBOX.Sent`` for ``Sent``.
    """

    spell: Callable[[bytes], bytes] = bytes.upper
    quotes: bool = True

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "STATUS" and reply.ok:
            told = self.spell(command.name)
            named, plain = quoted(command.name), quoted(told) if self.quotes else told
            reply.lines = [line.replace(named, plain) if isinstance(line, bytes) else line for line in reply.lines]


class StatusSilent(Oddity):
    """STATUS is OK and tells nothing: GMX in its day, and servers with the folder open elsewhere."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "STATUS":
            reply.lines = []


@dataclass
class ListedTwice(Oddity):
    """Two LIST rows for one folder, of which one says \\Noselect: Cyrus with shared folders, Zimbra, hMailServer."""

    name: bytes
    before: bool = True

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb != "LIST":
            return
        place = next(
            (n for n, line in enumerate(reply.lines) if isinstance(line, bytes) and quoted(self.name) in line), None
        )
        if place is not None:
            row = b'* LIST (\\Noselect) "%s" %s\r\n' % (at.server_of.separator, quoted(self.name))
            reply.lines.insert(place + (not self.before), row)


@dataclass
class WantsPrefix(Oddity):
    """Creates only below ``INBOX.`` and does not say so by NAMESPACE: hMailServer 4, Courier before 1.0.

    Courier's words: ``NO Client tried to access nonexistent namespace.``
    """

    prefix: bytes = b"INBOX."

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if command.verb != "CREATE" or command.name.startswith(self.prefix):
            return None
        where = b"(Mailbox name should probably be prefixed with: %s)" % self.prefix
        return Reply(b"NO Client tried to access nonexistent namespace. " + where)
