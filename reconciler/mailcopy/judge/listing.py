"""The rows of one folder: whatever a server leaves out or will not show is asked for again, in smaller parts."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.opening import EXPUNGE, Opening
from reconciler.mailcopy.judge.rows import Told, read_row
from reconciler.mailcopy.model.gmail import CAPABILITY
from reconciler.mailcopy.model.uid_set import ranges

PATIENCE: Final = 50
"""Single messages that may be asked for in vain, one after the other; the rest of them is not judged."""

_ALONE: Final = (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE")


@dataclass(slots=True)
class Listed:
    """A folder. ``rows`` by UID; ``held``: the messages that the server said it holds when it opened it, if it did.

    ``late``: UIDs of messages that came since. ``words``: the server's, if it would not open it or not show all.
    """

    raw: bytes
    opening: Opening = field(default_factory=Opening)
    held: int | None = 0
    rows: dict[int, Told] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    is_open: bool = True
    words: str = ""

    @property
    def unseen(self) -> int:
        """How many messages it holds and did not show; one, for want of a number, where it tells none and refuses."""
        if self.held is None:
            return 1 if self.words else 0
        return max(0, self.held - (len(self.rows) - len(self.late)))

    def forget(self, uid: int) -> None:
        """It has vanished."""
        del self.rows[uid]
        if uid in self.late:
            self.late.discard(uid)
        elif self.held is not None:
            self.held -= 1

    @property
    def top(self) -> int:
        """The highest UID of those that were there when it was opened."""
        return max(self.rows.keys() - self.late, default=0)


def list_folder(connection: Connection, raw: bytes) -> Listed:
    """Open it and list it."""
    reader = _Reader(connection, raw)
    reader.open()
    if reader.found.is_open and reader.found.held != 0:
        reader.list_all()
        reader.ask_again()
        reader.complete()
    return reader.found


class _Reader:
    def __init__(self, connection: Connection, raw: bytes) -> None:
        self.found = Listed(raw)
        self._connection = connection
        self._items = b"UID FLAGS INTERNALDATE RFC822.SIZE"
        if connection.session.can(CAPABILITY):
            self._items += b" X-GM-LABELS"
        self._nameless: dict[int, Told] = {}
        self._numbers: dict[int, int] | None = None
        self._shifted = False

    def open(self) -> None:
        for parts in self._connection.open(self.found.raw, again=True):
            self.found.opening.hear(parts)
        if self._connection.said.ok:
            self.found.held = self.found.opening.exists
        else:
            self.found.is_open, self.found.words = False, self._connection.said.words

    def list_all(self) -> None:
        """Everything at once; where that is refused, each gap in what came is halved until single messages are left."""
        if self._ask(b"1:*", tries=2):
            return
        found, vain, cuts = self.found, 0, 0
        todo = deque(self._gaps(1, self._last()))
        while todo and found.unseen and max(vain, cuts) < PATIENCE:
            first, last = todo.popleft()
            if self._ask(b"%d:%d" % (first, last) if first < last else b"%d" % first):
                continue
            cuts += self._connection.said.cut
            if first < last:
                middle = (first + last) // 2
                todo.extend([*self._gaps(first, middle), *self._gaps(middle + 1, last)])
            elif first in found.rows or self._ask(b"%d" % first, b"UID"):
                vain = 0
            else:
                vain += 1

    def ask_again(self) -> None:
        """A server may show some of many and say that this is all: as long as more comes, the rest is asked for."""
        found, known = self.found, -1
        while found.unseen and known < len(found.rows):
            known = len(found.rows)
            gaps = list(self._gaps(1, self._last()))
            for first, last in gaps if len(gaps) <= PATIENCE else ():
                self._ask(b"%d:%d" % (first, last))

    def complete(self) -> None:
        """Ask for the items of rows that could not be read, one by one, and for flags that are not told."""
        odd = [(uid, told) for uid, told in self.found.rows.items() if not told.is_whole or told.flags is None]
        for uid, told in odd[:PATIENCE]:
            for item in _ALONE[:1] if told.is_whole else _ALONE:
                self._ask(b"%d" % uid, b"UID " + item)

    def _last(self) -> int:
        """The highest UID that there may be."""
        return max(self.found.opening.uidnext - 1, self.found.top, self.found.held or 0)

    def _gaps(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """What is not known between two UIDs, these included."""
        for start, end in ranges(uid for uid in self.found.rows if first <= uid <= last):
            if first < start:
                yield first, start - 1
            first = end + 1
        if first <= last:
            yield first, last

    def _ask(self, chosen: bytes, items: bytes = b"", *, tries: int = 1) -> bool:
        command = b"UID FETCH " + chosen + b" (" + (items or self._items) + b")"
        for parts in self._connection.ask(command, self.found.raw, tries=tries):
            if (row := read_row(parts)) is not None:
                self._take(row)
            elif EXPUNGE.match(parts[0]):
                self.found.held = max(0, self.found.held - 1) if self.found.held is not None else None
                self._shifted = True
            else:
                self.found.opening.hear(parts)
        said = self._connection.said
        if not said.ok:
            self.found.words = self.found.words or said.words
        return said.ok

    def _take(self, row: Told) -> None:
        """A row may come in two; one without a UID is about the message whose number it has."""
        rows, uid = self.found.rows, row.uid
        if uid is None:
            if self._shifted:
                return
            if self._numbers is None:
                self._numbers = {told.sequence: known for known, told in rows.items()}
            uid = self._numbers.get(row.sequence)
            if uid is None:
                self._nameless[row.sequence] = row
                return
        if self._numbers is not None:
            self._numbers[row.sequence] = uid
        if self._nameless and (before := self._nameless.pop(row.sequence, None)) is not None:
            row = _together(before, row)
        if (known := rows.get(uid)) is not None:
            row = _together(known, row)
        elif self.found.held is not None and row.sequence > self.found.held:
            self.found.late.add(uid)
        rows[uid] = row


def _together(before: Told, after: Told) -> Told:
    """The later one, with what only the earlier tells."""
    return before._replace(**{name: value for name, value in after._asdict().items() if value is not None})
