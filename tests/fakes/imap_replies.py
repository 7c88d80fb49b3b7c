"""What an IMAP server says to one command: rows that can still be altered, and how it ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.fakes.imap_folders import Mail
from tests.fakes.imap_words import literal


@dataclass
class Item:
    """One item of a FETCH row; ``value`` as on the wire, but for a literal, whose length is told when it is sent."""

    name: bytes
    value: bytes
    is_literal: bool = False

    def octets(self) -> bytes:
        """As on the wire."""
        return self.name + b" " + (literal(self.value) if self.is_literal else self.value)


@dataclass
class FetchRow:
    """One FETCH response; ``uid`` is known to the server even where the row does not tell it."""

    number: int
    uid: int
    items: list[Item]
    end: bytes = b")\r\n"
    word: bytes = b"FETCH"

    def octets(self) -> bytes:
        """As on the wire."""
        return b"* %d %s (" % (self.number, self.word) + b" ".join(item.octets() for item in self.items) + self.end

    def get(self, name: bytes) -> Item | None:
        """The item of that name."""
        return next((item for item in self.items if item.name.upper() == name), None)

    def drop(self, name: bytes) -> None:
        """Say nothing of it."""
        self.items = [item for item in self.items if item.name.upper() != name]


Line = bytes | FetchRow


@dataclass
class Reply:
    """``lines`` are untagged; ``end`` is what follows the tag.

    ``ends``: the connection, after the lines, without the end; ``abrupt``: by a reset. ``lost``: nothing is said.
    """

    end: bytes = b"OK done"
    lines: list[Line] = field(default_factory=list)
    ends: bool = False
    abrupt: bool = False
    lost: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ends well."""
        return self.end.startswith(b"OK") and not self.ends

    @property
    def rows(self) -> list[FetchRow]:
        """Its FETCH rows."""
        return [line for line in self.lines if isinstance(line, FetchRow)]

    def octets(self, tag: bytes) -> bytes:
        """As on the wire."""
        said = b"".join(line if isinstance(line, bytes) else line.octets() for line in self.lines)
        return said if self.ends or self.lost else said + tag + b" " + self.end + b"\r\n"


def row_of(number: int, mail: Mail, wanted: list[bytes]) -> FetchRow | None:
    """The answer for one message, items in the order asked; None if an item is not known."""
    row = FetchRow(number, mail.uid, [])
    for name in wanted:
        item = _item(name.replace(b"BODY.PEEK", b"BODY"), mail)
        if item is None:
            return None
        row.items.append(item)
    if row.get(b"UID") is None:
        row.items.insert(0, Item(b"UID", b"%d" % mail.uid))
    return row


_PLAIN: Mapping[bytes, Callable[[Mail], bytes]] = {
    b"UID": lambda mail: b"%d" % mail.uid,
    b"FLAGS": lambda mail: b"(%s)" % mail.flags.encode("latin-1"),
    b"INTERNALDATE": lambda mail: b'"%s"' % mail.date.encode(),
    b"RFC822.SIZE": lambda mail: b"%d" % mail.told_size,
    b"MODSEQ": lambda mail: b"(%d)" % mail.modseq,
}
_LITERAL: Mapping[bytes, Callable[[Mail], bytes]] = {
    b"BODY[]": lambda mail: mail.body,
    b"BODY[HEADER]": lambda mail: mail.header,
}


def _item(name: bytes, mail: Mail) -> Item | None:
    if name in _PLAIN:
        return Item(name, _PLAIN[name](mail))
    if name in _LITERAL:
        return Item(name, _LITERAL[name](mail), is_literal=True)
    if name.startswith(b"BODY[HEADER.FIELDS ("):
        return Item(name, mail.fields(name[name.index(b"(") + 1 : name.index(b")")].split()), is_literal=True)
    return None
