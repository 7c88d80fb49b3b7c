"""Servers whose FETCH rows are odd: items that are missing, wrong, in another order, or more than was asked for."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import FetchRow, Item, Line, Reply
from tests.fakes.imap_words import Command, literal

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection


@dataclass
class RowSays(Oddity):
    """An item has another value: INTERNALDATE NIL or in an odd spelling, RFC822.SIZE NIL, -1, 0 or wrong.

    GroupWise and Gmail tell wrong sizes; Exchange sizes of what it has not yet made; Zarafa ``INTERNALDATE NIL``;
    ``3-Jan-2024`` without its space: UW IMAP and its kin; ``Tue, 05 Mar 2024 …``: gateways. ``value`` None: the item
    is absent. ``uid`` None: in every row.
    """

    item: bytes
    value: bytes | None
    uid: int | None = None

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for row in reply.rows:
            item = row.get(self.item)
            if item is None or self.uid not in {None, row.uid}:
                continue
            if self.value is None:
                row.drop(self.item)
            else:
                item.value = self.value


@dataclass
class ItemsInOrder(Oddity):
    """Items in any order, UID at the end or after a literal: Exchange, Cyrus and GroupWise each have their own."""

    seed: int = 0
    last: Sequence[bytes] = ()

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        chance = random.Random(self.seed)
        for row in reply.rows:
            chance.shuffle(row.items)
            row.items.sort(key=lambda item: item.name in self.last)


@dataclass
class SplitRows(Oddity):
    """A row comes in two: first all but one item, then that item; both with the UID. Cyrus does so with flags.

    ``apart``: the second halves come after all first ones.
    """

    item: bytes = b"FLAGS"
    apart: bool = False

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        lines: list[Line] = []
        later: list[Line] = []
        for line in reply.lines:
            lines.append(line)
            if isinstance(line, FetchRow) and (item := line.get(self.item)) and len(line.items) > 2:
                line.drop(self.item)
                uid = line.get(b"UID")
                (later if self.apart else lines).append(FetchRow(line.number, line.uid, [uid, item] if uid else [item]))
        reply.lines = lines + later


@dataclass
class MoreItems(Oddity):
    """Items that were not asked for, in rows with the text of a message: Exchange 2003 puts the header before it.

    See jakartaee/mail-api#113; others put ENVELOPE or BODYSTRUCTURE with literals in. ``how`` says which.
    """

    how: str = "header"

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for row in reply.rows:
            text = row.get(b"BODY[]")
            if text is not None:
                row.items.insert(row.items.index(text), self._item(text.value))

    def _item(self, text: bytes) -> Item:
        match self.how:
            case "header":
                return Item(b"BODY[HEADER]", text.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", is_literal=True)
            case "envelope":
                subject = literal(b'Subject with "quotes" and BODY[] {3}')
                return Item(b"ENVELOPE", b'("Tue, 5 Mar 2024" ' + subject + b" NIL" * 8 + b")")
            case "structure":
                return Item(
                    b"BODYSTRUCTURE", b'("TEXT" "PLAIN" ("NAME" ' + literal(b"BODY[] a)") + b') NIL NIL "7BIT" 9 1)'
                )
            case "text first":
                return Item(b"BODY[TEXT]", text.partition(b"\r\n\r\n")[2], is_literal=True)
            case "words":
                return Item(b"X-FOO", b'"BODY[] x" FLAGS (\\Seen)')
            case _:
                return Item(b"X-BAR", b'(BODY[] NIL (("UID 7")) ")")')


class SpaceBeforeEnd(Oddity):
    """A space before the parenthesis that ends a row: Exchange 2003 and 2007."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for row in reply.rows:
            row.end = b" )\r\n"


@dataclass
class Unstable(Oddity):
    """The text is made anew at each FETCH: Exchange from MAPI, with another boundary each time. Its length stays.

    In messages that hold the word BOUNDARY.
    """

    numbers: Iterator[int] = field(default_factory=count)

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for row in reply.rows:
            now = b"%08d" % next(self.numbers)
            for item in row.items:
                if item.is_literal:
                    item.value = item.value.replace(b"BOUNDARY", now)


@dataclass
class Descending(Oddity):
    """Rows from the last message to the first, or in any order (RFC 3501 promises none): Domino, Oracle."""

    seed: int | None = None

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        rows = reply.rows[::-1]
        if self.seed is not None:
            random.Random(self.seed).shuffle(rows)
        following = iter(rows)
        reply.lines = [next(following) if isinstance(line, FetchRow) else line for line in reply.lines]


@dataclass
class RowsTwice(Oddity):
    """One message's row comes twice: after a flag was changed elsewhere, and from servers with shared mail (Kerio)."""

    uid: int | None = None

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        reply.lines = [
            again
            for line in reply.lines
            for again in ([line, line] if isinstance(line, FetchRow) and self.uid in {None, line.uid} else [line])
        ]


@dataclass
class ShortTextsQuoted(Oddity):
    """A string without line ends may be quoted, and an empty one is: Courier and Cyrus write ``BODY[] ""``."""

    def tell(self, at: "Connection", command: Command, reply: Reply) -> None:
        for row in reply.rows:
            for item in row.items:
                if item.is_literal and re.fullmatch(rb"[ !#-\[\]-~]*", item.value):
                    item.value, item.is_literal = b'"%s"' % item.value, False
