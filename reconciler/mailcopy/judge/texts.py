"""Whole messages as the judge reads them: one command at a time, one text in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.rows import Told, read_row
from reconciler.mailcopy.model import uid_set

_AT_ONCE: Final = 100
_VANISHED: Final = "it is not there any more"


@dataclass(slots=True)
class Texts:
    """The texts of one folder; ``absent`` tells why one did not come, by UID, and ``vanished`` those that are gone."""

    connection: Connection
    raw: bytes
    absent: dict[int, str] = field(default_factory=dict)
    vanished: set[int] = field(default_factory=set)

    def read(self, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """UID and text, each once, in the server's order."""
        for start in range(0, len(uids), _AT_ONCE):
            missing = set(uids[start : start + _AT_ONCE])
            several = len(missing) > 1
            for chosen in uid_set.write(missing):
                yield from self._read(chosen, missing, tries=2)
            for uid in sorted(missing) if several else ():
                yield from self._read(str(uid), missing, tries=1)
            for uid in sorted(missing):
                self._explain(uid)

    def one(self, uid: int) -> bytes | None:
        """None where it does not come."""
        return next((text for _, text in list(self.read([uid]))), None)

    def _read(self, chosen: str, missing: set[int], *, tries: int) -> Iterator[tuple[int, bytes]]:
        for told in self._rows(f"UID FETCH {chosen} (UID BODY.PEEK[])", tries):
            if told.uid in missing and told.text is not None:
                missing.discard(told.uid)
                yield told.uid, told.text

    def _explain(self, uid: int) -> None:
        said = self.connection.said
        there = {told.uid for told in self._rows(f"UID FETCH {uid} (UID)", 1)}
        if uid in there or not self.connection.said.ok:
            self.absent[uid] = said.words or "its text is not shown"
        else:
            self.absent[uid] = _VANISHED
            self.vanished.add(uid)

    def _rows(self, command: str, tries: int) -> Iterator[Told]:
        for parts in self.connection.ask(command.encode(), self.raw, tries=tries):
            if (told := read_row(parts)) is not None:
                yield told
