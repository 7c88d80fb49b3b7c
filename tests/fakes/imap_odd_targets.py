"""Servers that take mail oddly: names folded or refused, flags and messages dropped, UIDs that are wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.imap_folders import Folder
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_words import Command

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection


class FoldsCase(Oddity):
    """``projects`` and ``Projects`` are one folder: Exchange, Domino, Zimbra, hMailServer, Dovecot on some disks."""

    def find(self, folders: Mapping[bytes, Folder], name: bytes) -> bytes | None:
        return next((known for known in folders if known.lower() == name.lower()), None)


@dataclass
class KeywordLimit(Oddity):
    """A folder holds so many keywords: Cyrus 128, with LIMIT (RFC 5530); old mbox servers 26 or 30."""

    most: int = 3
    words: bytes = b"NO [LIMIT] Too many user flags in mailbox"

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if command.verb == "APPEND" and (name := at.server_of.find(command.name)) is not None:
            named = " ".join(mail.flags for mail in command.incoming)
        elif command.verb == "UID STORE" and command.args[1][:1] == b"+" and (name := at.selected) is not None:
            named = command.args[2].decode("latin-1").strip("()")
        else:
            return None
        new = {flag for flag in named.split() if not flag.startswith("\\")}
        have = at.server_of.folders[name].keywords
        return Reply(self.words) if len(have | new) > self.most and new - have else None


@dataclass
class RefusesFlags(Oddity):
    """NO to a message with flags, and to STORE: folders that others share read-only, some archives."""

    words: bytes = b"NO [CANNOT] Flags are not supported"

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        asked = command.verb == "UID STORE" or any(mail.flags for mail in command.incoming_of("APPEND"))
        return Reply(self.words) if asked else None


@dataclass
class Drops(Oddity):
    """APPEND says OK and the message is not there: a filter took it, or it was held for a duplicate (Gmail, Zimbra)."""

    text: bytes

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        name = at.server_of.find(command.name) if command.verb == "APPEND" else None
        if name is not None and reply.ok:
            folder = at.server_of.folders[name]
            folder.mails = [mail for mail in folder.mails if self.text not in mail.body]


@dataclass
class SaysAppendUid(Oddity):
    """APPENDUID with whatever in it: a range of all UIDs there can be, numbers of hundreds of digits."""

    told: bytes

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        if command.verb == "APPEND" and reply.ok:
            reply.end = b"OK [APPENDUID %s] done" % self.told


@dataclass
class WrongAppendUid(Oddity):
    """APPENDUID is not the message's: off by some, or always one number; proxies that count for themselves."""

    by: int = 1
    always: int | None = None

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        def wrong(match: re.Match[bytes]) -> bytes:
            ends = match[2].split(b":")
            told = [self.always + n if self.always is not None else int(end) + self.by for n, end in enumerate(ends)]
            return b"APPENDUID %s %s" % (match[1], b":".join(b"%d" % number for number in told))

        reply.end = re.sub(rb"APPENDUID (\d+) ([\d:]+)", wrong, reply.end)


@dataclass
class RefusesNames(Oddity):
    """NO to a name with some character: mox to ``&`` (mox#110), Exchange to ``/``, Courier to ``.``."""

    character: bytes = b"&-"
    words: bytes = b"NO [CANNOT] character & not allowed in mailbox name"
    verbs: tuple[str, ...] = ("CREATE", "STATUS", "SELECT", "EXAMINE", "APPEND", "SUBSCRIBE")

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        return Reply(self.words) if command.verb in self.verbs and self.character in command.name else None


@dataclass
class CreatesAndDoesNotOpen(Oddity):
    """CREATE is OK, and the folder is not there under that name: Stalwart with ``&`` (stalwart#1697)."""

    character: bytes = b"&"

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        if self.character not in command.name:
            return None
        if command.verb == "CREATE":
            return Reply()
        opens = command.verb in {"STATUS", "SELECT", "EXAMINE", "APPEND", "SUBSCRIBE"}
        return Reply(b"NO [NONEXISTENT] Mailbox does not exist.") if opens else None


@dataclass
class RefusesLiteral(Oddity):
    """NO to the size of a message before it is sent: servers with a limit that they do not announce."""

    largest: int
    words: bytes = b"NO [TOOBIG] Message too large"

    def literal(self, at: "Connection", command: Command, size: int) -> bytes | None:
        return self.words if command.verb == "APPEND" and size > self.largest else None

    def hear(self, at: "Connection", command: Command) -> Reply | None:
        too_big = any(len(mail.body) > self.largest for mail in command.incoming_of("APPEND"))
        return Reply(self.words) if too_big else None
