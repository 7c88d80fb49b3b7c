"""What a client says to an IMAP server, in words (RFC 3501, section 9), and how a server spells its answers."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LITERAL = re.compile(rb"\{(\d+)([+-]?)\}\r\n\Z")
_WORD = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|(\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\))|([^\s()"]+|[()]))')
_ITEM = re.compile(rb"BODY(?:\.PEEK)?\[[^\]]*\]|[^\s()]+", re.IGNORECASE)
NO_DATE = "01-Jan-2026 00:00:00 +0000"
"""When a message arrives that is added without a date: the moment, in a world whose clock stands still."""


class Word(NamedTuple):
    """One word of a command; ``kind`` is atom, quoted, list or literal."""

    text: bytes
    kind: str


def words_of(line: bytes) -> Iterator[Word]:
    """The words of a line without its literal."""
    for match in _WORD.finditer(line):
        quoted, group, atom = match.groups()
        if quoted is not None:
            yield Word(re.sub(rb"\\(.)", rb"\1", quoted), "quoted")
        else:
            yield Word(group or atom, "list" if group else "atom")


class Incoming(NamedTuple):
    """A message that a client adds."""

    flags: str
    date: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """One command: ``UID FETCH`` and its like are one verb; ``raw`` are its arguments with their kinds."""

    tag: bytes
    verb: str
    raw: Sequence[Word] = field(default=())

    @classmethod
    def of(cls, words: Sequence[Word]) -> "Command":
        """From all words of a line."""
        tag, verb, *rest = words
        name = verb.text.decode("ascii", "replace").upper()
        if name == "UID" and rest:
            name, rest = f"UID {rest[0].text.decode('ascii', 'replace').upper()}", rest[1:]
        return cls(tag.text, name, tuple(rest))

    @property
    def args(self) -> list[bytes]:
        """The arguments as octets."""
        return [word.text for word in self.raw]

    @property
    def name(self) -> bytes:
        """The folder that it names, for commands that begin with one."""
        return self.raw[0].text if self.raw else b""

    def holds(self, text: bytes) -> bool:
        """Whether the text stands in any of the arguments, a message too."""
        return any(text in word.text for word in self.raw)

    @property
    def items(self) -> list[bytes]:
        """What a FETCH asks for, in upper case."""
        return [item.upper() for item in _ITEM.findall(self.args[1])] if len(self.raw) > 1 else []

    def wants(self, item: bytes) -> bool:
        """Whether a FETCH asks for it."""
        return self.verb == "UID FETCH" and item in self.items

    @property
    def reads_text(self) -> bool:
        """Whether it fetches whole messages."""
        return self.wants(b"BODY.PEEK[]") or self.wants(b"BODY[]")

    def incoming_of(self, verb: str) -> list[Incoming]:
        """The messages that it brings, if it is of that verb."""
        return self.incoming if self.verb == verb else []

    @property
    def incoming(self) -> list[Incoming]:
        """The messages of an APPEND, one or many (RFC 3502)."""
        found, flags, date = [], "", NO_DATE
        for word in self.raw[1:]:
            if word.kind == "list":
                flags = word.text.decode("latin-1").strip("()")
            elif word.kind == "quoted":
                date = word.text.decode("latin-1")
            elif word.kind == "literal":
                found.append(Incoming(flags, date, word.text))
                flags, date = "", NO_DATE
        return found


def quoted(name: bytes) -> bytes:
    """A string as servers write it."""
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(text: bytes) -> bytes:
    """A string as a literal."""
    return b"{%d}\r\n%s" % (len(text), text)


def chosen(uid_set: bytes, uids: Sequence[int]) -> list[int]:
    """Those of the UIDs that are in the set; ``*`` is the last one (RFC 3501, section 9, sequence-set)."""
    last = max(uids, default=0)
    wanted: set[int] = set()
    for part in uid_set.decode("ascii").split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        wanted |= {uid for uid in uids if min(ends) <= uid <= max(ends)}
    return [uid for uid in uids if uid in wanted]


def joined(numbers: Iterable[int]) -> bytes:
    """Numbers with spaces."""
    return b" ".join(b"%d" % number for number in numbers)


def credentials(encoded: bytes) -> tuple[bytes, bytes] | None:
    """User and password of SASL PLAIN (RFC 4616)."""
    try:
        _, user, password = base64.b64decode(encoded, validate=True).split(b"\0")
    except (binascii.Error, ValueError):
        return None
    return user, password
