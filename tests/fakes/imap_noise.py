"""What servers say beside what was asked, and how they spell it: all of it is allowed.

These stand behind the other oddities of a server, for they alter what those say.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.imap_folders import Mail
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import FetchRow, Item, Line, Reply
from tests.fakes.imap_words import Command, literal, quoted

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection


@dataclass
class Chatter(Oddity):
    """``* OK Still here`` and its like between the rows of a long answer: Dovecot, Exchange, Yahoo."""

    words: tuple[bytes, ...] = (
        b"* OK Still here\r\n",
        b"* NO [ALERT] The mailbox is nearly full\r\n",
        b"* 0 RECENT\r\n",
    )

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb not in {"CAPABILITY", "LOGIN", "AUTHENTICATE", "LOGOUT"}:
            said: list[Line] = []
            for number, line in enumerate(reply.lines):
                said += [self.words[number % len(self.words)], line]
            reply.lines = said


@dataclass
class RowsOfOthers(Oddity):
    """Rows of messages that were not asked for, with their new flags, in the middle of an answer (RFC 3501, 7.4.2).

    ``with_uid``: it tells their UIDs, as most do.
    """

    with_uid: bool = True

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb not in {"UID FETCH", "UID STORE", "APPEND"} or at.selected is None:
            return
        mails = at.server_of.folders[at.selected].mails
        others: list[Line] = [self._row(number, mail) for number, mail in enumerate(mails, 1)]
        reply.lines = [*others[:1], *reply.lines[:1], *others[-1:], *reply.lines[1:]]

    def _row(self, number: int, mail: Mail) -> FetchRow:
        flags = Item(b"FLAGS", b"(%s)" % mail.flags.encode("latin-1"))
        uid = [Item(b"UID", b"%d" % mail.uid)] if self.with_uid else []
        return FetchRow(number, mail.uid, [flags, *uid])


class CountsAgain(Oddity):
    """EXISTS, RECENT and FLAGS in the middle of a FETCH, with nothing new in them: Exchange and Gmail."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "UID FETCH" and at.selected is not None:
            exists = b"* %d EXISTS\r\n" % len(at.server_of.folders[at.selected].mails)
            reply.lines[1:1] = [exists, b"* 0 RECENT\r\n", b"* FLAGS (\\Seen \\Answered)\r\n"]


@dataclass
class DeliveryMeanwhile(Oddity):
    """A message is delivered while a folder is read, and EXISTS tells it in the middle of the rows."""

    mail: Mail
    folder: bytes = b"INBOX"
    done: bool = False

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if self.done or at.selected != self.folder or not command.reads_text:
            return
        self.done = True
        folder = at.server_of.folders[self.folder]
        folder.add(self.mail)
        reply.lines[1:1] = [b"* %d EXISTS\r\n" % len(folder.mails), b"* 1 RECENT\r\n"]


class LowerCase(Oddity):
    """Responses, items and the system's flags in lower case, which mean the same (RFC 3501, section 9, rule 1)."""

    _WORDS = re.compile(
        rb"\b(?:FETCH|UID|FLAGS|INTERNALDATE|RFC822\.SIZE|BODY|HEADER|FIELDS|EXISTS|RECENT|LIST|LSUB|STATUS|MESSAGES"
        rb"|UIDNEXT|UIDVALIDITY|HIGHESTMODSEQ|PERMANENTFLAGS|APPENDUID|NAMESPACE|MODSEQ|NIL|OK)\b"
    )

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb in {"CAPABILITY", "LOGIN", "AUTHENTICATE", "LOGOUT"}:
            return
        for row in reply.rows:
            row.word = b"fetch"
            for item in row.items:
                item.name = item.name.lower()
                if item.name == b"flags":
                    item.value = re.sub(
                        rb"\\(?:Seen|Answered|Flagged|Deleted|Draft)", lambda m: m[0].lower(), item.value
                    )
        reply.lines = [self._plain(line) if isinstance(line, bytes) else line for line in reply.lines]
        reply.end = self._lower(reply.end)

    def _plain(self, line: bytes) -> bytes:
        """Not the names of folders."""
        parts = re.split(rb'("(?:[^"\\]|\\.)*"|\{\d+\}\r\n.*)', line, flags=re.DOTALL)
        return b"".join(part if number % 2 else self._lower(part) for number, part in enumerate(parts))

    def _lower(self, text: bytes) -> bytes:
        return self._WORDS.sub(lambda match: match[0].lower(), text)


class NamesAsLiterals(Oddity):
    """Folder names as literals in LIST, LSUB and STATUS: Cyrus and Exchange for names with quotes or eight bits."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for number, line in enumerate(reply.lines):
            if not isinstance(line, bytes) or not line.startswith((b"* LIST ", b"* LSUB ", b"* STATUS ")):
                continue
            for name in at.server_of.folders:
                if line.endswith((b" " + quoted(name) + b"\r\n",)) or line.startswith(b"* STATUS " + quoted(name)):
                    head, _, tail = line.rpartition(quoted(name))
                    reply.lines[number] = head + literal(name) + tail
                    break


@dataclass
class Vanishes(Oddity):
    """A message is deleted by its user while the folder is read, and EXPUNGE tells it between the rows."""

    uid: int
    folder: bytes = b"INBOX"
    done: bool = False
    gone: list[Mail] = field(default_factory=list)

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        folder = at.server_of.folders[self.folder]
        if self.done or at.selected != self.folder or not command.reads_text or self.uid not in folder.uids:
            return
        self.done = True
        number = folder.uids.index(self.uid) + 1
        self.gone = [mail for mail in folder.mails if mail.uid == self.uid]
        folder.mails = [mail for mail in folder.mails if mail.uid != self.uid]
        reply.lines = [line for line in reply.lines if getattr(line, "uid", 0) != self.uid]
        reply.lines.append(b"* %d EXPUNGE\r\n" % number)
