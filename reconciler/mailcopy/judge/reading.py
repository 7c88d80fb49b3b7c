"""A folder's messages as the judge compares them: rows, and headers for telling them apart."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.dates import arrived, dated
from reconciler.mailcopy.judge.listing import PATIENCE, Listed, list_folder
from reconciler.mailcopy.judge.rows import Told, read_row
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.judging import Judged
from reconciler.mailcopy.model.message import IDENTITY_FIELDS, Identity, header_of, identify

_FIELDS: Final = b"BODY.PEEK[HEADER.FIELDS (" + " ".join(IDENTITY_FIELDS).upper().encode() + b")]"
_HEADER: Final = b"BODY.PEEK[HEADER]"
_ALL: Final = b"BODY.PEEK[]"


@dataclass(frozen=True, slots=True)
class Contents:
    """A folder. ``words``: the server's, if it does not open it. ``unseen``: messages that it did not list.

    ``nameless``: the server's words, by UID, against messages whose header it does not show.
    """

    raw: bytes
    messages: Sequence[Judged] = ()
    words: str = ""
    unseen: int = 0
    unseen_words: str = ""
    nameless: dict[int, str] = field(default_factory=dict)
    uidvalidity: int = 0
    counts_uids: bool = True

    @property
    def not_judged(self) -> int:
        """Messages that are there and cannot be compared."""
        return self.unseen + len(self.nameless)


def read_folder(connection: Connection, raw: bytes, *, by_header: bool = False) -> Contents:
    """Every message; ``by_header``: it is to have arrived when its Date header says, if that can be read."""
    listed = list_folder(connection, raw)
    if not listed.is_open:
        return Contents(raw, words=listed.words)
    headers = _Headers(connection, listed, by_header=by_header)
    headers.read()
    messages = [
        Judged(uid, who, told.size or None, headers.dates.get(uid) or arrived(told.date), told.flags)
        for uid, told in listed.rows.items()
        if (who := headers.found.get(uid)) is not None
    ]
    uidnext = listed.opening.uidnext
    return Contents(
        raw,
        messages,
        "",
        listed.unseen,
        listed.words or "it is not listed",
        headers.refused,
        listed.opening.uidvalidity,
        uidnext == 0 or uidnext > listed.top,
    )


class _Headers:
    """Asks for all at once, and for what does not come in smaller parts and other ways."""

    def __init__(self, connection: Connection, listed: Listed, *, by_header: bool) -> None:
        self.found: dict[int, Identity] = {}
        self.dates: dict[int, int] = {}
        self.refused: dict[int, str] = {}
        self._connection, self._listed, self._by_header = connection, listed, by_header

    def read(self) -> None:
        """Headers of all; what has none in the end is refused, or has vanished and is taken off the list."""
        for item in (_FIELDS, _HEADER):
            if missing := self._missing():
                self._narrow(missing, item)
        missing = self._missing()
        for uid in missing[:PATIENCE]:
            if self._ask([uid], _ALL):
                continue
            words = self._connection.said.words
            if self._is_there(uid):
                self.refused[uid] = words or "its header is not shown"
            else:
                self._listed.forget(uid)
        self.refused.update((uid, "its header is not shown") for uid in missing[PATIENCE:])

    def _missing(self) -> list[int]:
        return sorted(self._listed.rows.keys() - self.found.keys())

    def _narrow(self, uids: Sequence[int], item: bytes) -> None:
        """Halve what does not come, until single messages are left; at once nothing means that nothing will."""
        todo, vain = [list(uids)], 0
        while todo and vain < PATIENCE:
            asked = todo.pop()
            known = len(self.found)
            self._ask(asked, item)
            missing = [uid for uid in asked if uid not in self.found]
            vain = vain + 1 if len(self.found) == known else 0
            if len(missing) > 1:
                middle = len(missing) // 2
                todo += [missing[middle:], missing[:middle]]

    def _ask(self, uids: Collection[int], item: bytes) -> bool:
        """Whether all came."""
        for chosen in uid_set.write(uids):
            command = b"UID FETCH " + chosen.encode() + b" (UID " + item + b")"
            for told in self._rows(command):
                header = told.header if item != _ALL else (header_of(told.text) if told.text is not None else None)
                if told.uid is not None and header:
                    self.found[told.uid] = identify(header)
                    if self._by_header and (date := dated(header)) is not None:
                        self.dates[told.uid] = date
        return all(uid in self.found for uid in uids)

    def _is_there(self, uid: int) -> bool:
        shown = {told.uid for told in self._rows(b"UID FETCH %d (UID)" % uid)}
        return uid in shown or not self._connection.said.ok

    def _rows(self, command: bytes) -> Iterator[Told]:
        for parts in self._connection.ask(command, self._listed.raw):
            if (told := read_row(parts)) is not None:
                yield told
