"""Servers that refuse or hang up: at a command, a folder, a message, a login that has not said who it is."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.imap_folders import Folder
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_words import Command, Incoming, chosen

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection

EXCHANGE_BYE = b"* BYE Connection closed. 14\r\n"


@dataclass
class When:
    """Which commands are meant: of that verb, about that folder, with that text in them.

    The first ``after`` of them are not, and no more than ``times``.
    """

    verb: str
    name: bytes | None = None
    holding: bytes = b""
    after: int = 0
    times: int | None = None
    seen: int = 0

    def is_met(self, command: Command) -> bool:
        """Whether it is one of them; each is counted."""
        if command.verb != self.verb or (self.name is not None and command.name != self.name):
            return False
        if self.holding and not command.holds(self.holding):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen - self.after <= self.times)


@dataclass
class Refuses(Oddity):
    """Says NO or BAD to some commands.

    Exchange: ``BAD Command Argument Error. 12`` to STATUS of a folder whose name ends in a space, ``BAD … 11`` to
    APPEND of a message with long lines; Gmail: ``BAD Invalid Arguments: Unable to parse message``; Yahoo:
    ``BAD [CLIENTBUG]``; Cyrus: ``NO Message contains bare newlines``; virus filters: ``NO Virus found``.
    """

    when: When
    words: bytes

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        return Reply(self.words) if self.when.is_met(command) else None


@dataclass
class HangsUp(Oddity):
    """Ends the connection at some commands: Exchange 2007 at a folder's name, a Dovecot or Courier process that dies.

    ``bye``: what it says before. ``abrupt``: by a reset, as a process that crashes.
    """

    when: When
    bye: bytes = b""
    abrupt: bool = False

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        return Reply(lines=[self.bye], ends=True, abrupt=self.abrupt) if self.when.is_met(command) else None


@dataclass
class StoresLater(Oddity):
    """The connection is lost at APPEND, and what was read by then is stored later: a Dovecot whose client is gone.

    ``reads``: messages that it reads before that, without an answer; ``cuts``: how often. ``held`` is not stored yet.
    """

    reads: int = 1
    cuts: int = 1
    folder: bytes = b"INBOX"
    held: list[Incoming] = field(default_factory=list)

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if command.verb != "APPEND" or command.name != self.folder or not self.cuts:
            return None
        self.held += command.incoming
        if len(self.held) < self.reads:
            return Reply(lost=True)
        self.cuts -= 1
        return Reply(ends=True)

    def store(self, folder: Folder, most: int | None = None) -> None:
        """So many of them, or all."""
        for mail in self.held[:most]:
            folder.take(*mail)
        del self.held[:most]


@dataclass
class ReadingKills(Oddity):
    """Ends the connection whenever the text of a message is read; what stands before it in the answer still comes.

    Exchange (``* BYE Connection closed. 14``), cPanel and Dovecot with a broken file.
    """

    uid: int
    folder: bytes = b"INBOX"
    bye: bytes = b""
    abrupt: bool = False

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if not command.reads_text or at.selected != self.folder:
            return
        place = next((n for n, row in enumerate(reply.lines) if getattr(row, "uid", 0) == self.uid), None)
        if place is not None:
            reply.lines = [*reply.lines[:place], self.bye]
            reply.ends, reply.abrupt = True, self.abrupt


@dataclass
class ReadingRefused(Oddity):
    """Ends a FETCH of texts with NO or BAD where some messages are in it; the others come before that.

    Exchange: ``NO The requested message could not be converted to an RFC-822 compatible format.``; Gmail:
    ``NO [SERVERBUG]`` or ``NO System Error`` to one message for ever; Zimbra: ``NO FETCH failed``.
    """

    uids: frozenset[int]
    words: bytes
    folder: bytes = b"INBOX"
    item: bytes = b"BODY.PEEK[]"

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if not command.wants(self.item) or at.selected != self.folder or not reply.ok:
            return
        if any(row.uid in self.uids for row in reply.rows):
            reply.lines = [line for line in reply.lines if getattr(line, "uid", 0) not in self.uids]
            reply.end = self.words


def listing_refused(*uids: int, words: bytes = b"NO Server Unavailable. 15", folder: bytes = b"INBOX") -> Oddity:
    """The FETCH that lists a folder ends with NO because of one message (Exchange 2010 and later, Office 365)."""
    return ReadingRefused(frozenset(uids), words, folder, b"RFC822.SIZE")


@dataclass
class ClosesAfterErrors(Oddity):
    """Hangs up after so many refused commands: Exchange after ten (FAQ.Exchange of imapsync), Dovecot after 20 BAD.

    It has to stand behind the oddities that refuse.
    """

    most: int = 10
    bye: bytes = EXCHANGE_BYE

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if reply.end.startswith(b"OK") or reply.ends:
            return
        at.errors += 1
        if at.errors > self.most:
            reply.lines.append(self.bye)
            reply.ends = True


@dataclass
class WantsId(Oddity):
    """Opens nothing before the client has said ID: NetEase (163.com, 126.com and the domains that it hosts)."""

    verbs: tuple[str, ...] = ("SELECT", "EXAMINE", "STATUS")

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if at.identified or command.verb not in self.verbs:
            return None
        return Reply(b"NO %s Unsafe Login. Please contact kefu@188.com for help" % command.verb.encode())


@dataclass
class OneAtATime(Oddity):
    """Refuses or loses a command that was sent ahead of an answer: twisted's IMAP4Server, Domino, old Exchange.

    It has to stand before the others. ``loses``: it never answers to it. ``verbs``: it bears the others.
    """

    loses: bool = False
    verbs: tuple[str, ...] = ("UID FETCH", "UID STORE", "STATUS", "LSUB", "LIST")
    words: bytes = b"BAD Unsupported command"
    wait: float = 0.005
    early: set[int] = field(default_factory=set)

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        was_early = id(at) in self.early
        self.early.discard(id(at))
        if command.verb != "LOGOUT" and at.is_waiting(self.wait):
            self.early.add(id(at))
        return Reply(self.words, lost=self.loses) if was_early and command.verb in self.verbs else None


class KeepsFolderOpen(Oddity):
    """A failed EXAMINE leaves the folder before it open, where the RFC says that none is: old Courier, Lotus Domino."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb in {"SELECT", "EXAMINE"} and not reply.ok:
            at.selected = at.before


class EmptyFetchBad(Oddity):
    """BAD to a FETCH that finds nothing: Exchange 2003 and Yahoo in an empty folder (``BAD Invalid message set``)."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "UID FETCH" and at.selected is not None:
            folder = at.server_of.folders[at.selected]
            if not folder.mails or not chosen(command.args[0], folder.uids):
                reply.end = b"BAD The specified message set is invalid."


class NewUidvalidity(Oddity):
    """Every login sees other UIDVALIDITYs: servers that take the time for it, mdaemon and hMailServer in their day."""

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if command.verb in {"LOGIN", "AUTHENTICATE"}:
            for folder in at.server_of.folders.values():
                folder.uidvalidity += 1
        return None
