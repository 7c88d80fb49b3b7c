"""What was on the wire when a connection ended: the evidence that finds the one message or folder that ends it.

Servers hang up at a message that they cannot show or take, and would do so for ever. After a second cut at the same
place the messages there are halved, until one is alone: it is refused, in the server's words, and the rest goes on. A
folder that ends the connection twice is left alone likewise.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from reconciler.mailcopy.model.message import Row

_ENOUGH = 2
"""Times that a thing may end the connection before it is held for the cause."""


class Side(StrEnum):
    """Whose connection it was."""

    SOURCE = "source"
    TARGET = "target"


OF_SOURCE: Final = f"the {Side.SOURCE}"
"""How the words begin that say that the source would not give a message."""


class Spot(NamedTuple):
    """A folder, or messages of it, by source UIDs; ``raw`` is the source folder's name for messages.

    ``certain``: the server has answered BAD to just this, so one time is enough.
    """

    side: Side
    raw: bytes
    uids: tuple[int, ...] = ()
    certain: bool = False


@dataclass(slots=True)
class _Group:
    uids: frozenset[int]
    strikes: int = 0


@dataclass(slots=True)
class Suspects:
    """What is suspected in one mailbox; kept over the attempts of a pass.

    ``refused`` are messages by source folder and UID, with words. ``given_up`` counts them and the folders that are
    left alone.
    """

    refused: dict[bytes, dict[int, str]] = field(default_factory=dict)
    given_up: int = 0
    _groups: dict[bytes, list[_Group]] = field(default_factory=dict)
    _folders: dict[tuple[Side, bytes], tuple[int, str]] = field(default_factory=dict)

    def blame(self, spot: Spot, words: str) -> None:
        """A connection has ended there."""
        if spot.uids:
            self._blame_messages(spot, words)
            return
        strikes, _ = self._folders.get((spot.side, spot.raw), (0, ""))
        now = strikes + (_ENOUGH if spot.certain else 1)
        self._folders[spot.side, spot.raw] = (now, words)
        self.given_up += strikes < _ENOUGH <= now

    def is_suspect(self, side: Side, raw: bytes) -> bool:
        """Whether the folder has ended a connection: it is asked for after all others, and alone."""
        return (side, raw) in self._folders

    def against(self, side: Side, raw: bytes) -> str:
        """Why the folder is left alone; empty if it is not."""
        strikes, words = self._folders.get((side, raw), (0, ""))
        return f"it ends the connection: {words}" if strikes >= _ENOUGH else ""

    def weight(self, side: Side, raw: bytes) -> int:
        """How strong the suspicion is of a folder and, on the source, of its messages; 0 is none."""
        strikes, _ = self._folders.get((side, raw), (0, ""))
        of_messages = sum(1 + group.strikes for group in self._groups.get(raw, ())) if side is Side.SOURCE else 0
        return strikes + of_messages

    def parted(self, raw: bytes, rows: Sequence[Row]) -> tuple[Sequence[Row], list[tuple[Row, ...]]]:
        """The rows above suspicion, and the others in groups that each are to be alone on the wire.

        What has ended fewer connections comes first.
        """
        groups = self._groups.get(raw)
        if not groups:
            return rows, []
        suspected = {uid for group in groups for uid in group.uids}
        by_strikes = sorted(groups, key=lambda group: (group.strikes, min(group.uids)))
        alone = [tuple(row for row in rows if row.uid in group.uids) for group in by_strikes]
        return [row for row in rows if row.uid not in suspected], [group for group in alone if group]

    def _blame_messages(self, spot: Spot, words: str) -> None:
        groups = self._groups.setdefault(spot.raw, [])
        uids = frozenset(spot.uids)
        group = next((known for known in groups if uids <= known.uids), None)
        strikes = group.strikes if group else 0
        # what was on the wire beside these is above suspicion again, and what overlaps is told anew
        kept = [known for known in groups if known is not group and not known.uids & uids]
        struck = _Group(uids, strikes + (_ENOUGH if spot.certain else 1))
        if struck.strikes < _ENOUGH:
            kept.append(struck)
        elif len(uids) == 1:
            self.refused.setdefault(spot.raw, {})[next(iter(uids))] = _said(spot, words)
            self.given_up += 1
        else:
            kept += _halves(uids)
        self._groups[spot.raw] = kept


def _said(spot: Spot, words: str) -> str:
    return f"the {spot.side}: {words}" if spot.certain else f"the {spot.side} ends the connection at it: {words}"


def _halves(uids: Iterable[int]) -> Iterator[_Group]:
    """One cut more decides about many; of a message alone two are wanted, for a line may fail by chance."""
    ordered = sorted(uids)
    middle = len(ordered) // 2
    for half in (ordered[:middle], ordered[middle:]):
        yield _Group(frozenset(half), 0 if len(half) == 1 else 1)
