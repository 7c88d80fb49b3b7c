"""A folder's messages as the judge compares them: rows, and headers for telling them apart."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
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
_NOT_SHOWN: Final = "its header is not shown"


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


def read_folder(
    connection: Connection, raw: bytes, *, by_header: bool = False, suspects: Mapping[int, str] | None = None
) -> Contents:
    """Every message; ``by_header``: it is to have arrived when its Date header says, if that can be read.

    ``suspects``: UIDs of messages that the copier was refused, and the words; they are asked for after all others.
    """
    listed = list_folder(connection, raw)
    if not listed.is_open:
        return Contents(raw, words=listed.words)
    headers = _Headers(connection, listed, suspects or {}, by_header=by_header)
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

    def __init__(self, connection: Connection, listed: Listed, suspects: Mapping[int, str], *, by_header: bool) -> None:
        self.found: dict[int, Identity] = {}
        self.dates: dict[int, int] = {}
        self.refused: dict[int, str] = {}
        self._connection, self._listed, self._by_header = connection, listed, by_header
        self._suspects = suspects

    def read(self) -> None:
        """Headers of all; what has none in the end is refused, or has vanished and is taken off the list."""
        for item in (_FIELDS, _HEADER):
            if missing := [uid for uid in self._missing() if uid not in self._suspects]:
                self._narrow(missing, item)
        self._ask_suspects()
        for place, uid in enumerate(self._missing()):
            if place >= PATIENCE:
                self.refused[uid] = _NOT_SHOWN
            elif not self._ask([uid], _ALL, tries=1):
                self._explain(uid)

    def _ask_suspects(self) -> None:
        """One by one; the first that ends the connection speaks for the rest of them."""
        is_cut = False
        for uid in self._missing():
            if uid in self._suspects and (is_cut or not self._ask([uid], _FIELDS, tries=1)):
                is_cut = is_cut or self._connection.said.cut
                if is_cut or not self._connection.said.ok:
                    self.refused[uid] = self._suspects[uid]

    def _missing(self) -> list[int]:
        return sorted(self._listed.rows.keys() - self.found.keys() - self.refused.keys())

    def _narrow(self, uids: Sequence[int], item: bytes) -> None:
        """Halve what does not come, until single messages are left; at once nothing means that nothing will.

        A message that ends the connection alone is not asked for again, and after many of them nothing else is.
        """
        todo, vain, cuts, tries = deque([list(uids)]), 0, 0, 2
        while todo and vain < PATIENCE and cuts < PATIENCE:
            asked = todo.popleft()
            known = len(self.found)
            self._ask(asked, item, tries=tries)
            tries = 1
            cuts += self._connection.said.cut
            missing = [uid for uid in asked if uid not in self.found]
            vain = vain + 1 if len(self.found) == known else 0
            if len(missing) > 1:
                middle = len(missing) // 2
                todo += [missing[:middle], missing[middle:]]
            elif missing and self._connection.said.cut:
                self.refused[missing[0]] = self._connection.said.words
        if cuts >= PATIENCE:
            self.refused.update((uid, self._connection.said.words or _NOT_SHOWN) for part in todo for uid in part)

    def _explain(self, uid: int) -> None:
        words = self._connection.said.words
        shown = {told.uid for told in self._rows(b"UID FETCH %d (UID)" % uid, 1)}
        if uid in shown or not self._connection.said.ok:
            self.refused[uid] = words or _NOT_SHOWN
        else:
            self._listed.forget(uid)

    def _ask(self, uids: Collection[int], item: bytes, *, tries: int) -> bool:
        """Whether all came."""
        for chosen in uid_set.write(uids):
            command = b"UID FETCH " + chosen.encode() + b" (UID " + item + b")"
            for told in self._rows(command, tries):
                header = told.header if item != _ALL else (header_of(told.text) if told.text is not None else None)
                if told.uid is not None and header:
                    self.found[told.uid] = identify(header)
                    if self._by_header and (date := dated(header)) is not None:
                        self.dates[told.uid] = date
        return all(uid in self.found for uid in uids)

    def _rows(self, command: bytes, tries: int) -> Iterator[Told]:
        for parts in self._connection.ask(command, self._listed.raw, tries=tries):
            if (told := read_row(parts)) is not None:
                yield told
