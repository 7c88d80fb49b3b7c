"""What the mail copy remembers between passes; how it is kept is the journal's affair."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from reconciler.mailcopy.model.accounting import Fate


class CopyKey(NamedTuple):
    """One mailbox in one direction: ``account`` and the places, ``old`` to ``new`` or back."""

    account: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class FolderState:
    """How far a folder is copied.

    It holds for one pair of UIDVALIDITY values; where one changes, all UIDs lose their meaning and the folder is
    matched anew. Source UIDs below ``uidnext`` are accounted for; ``messages`` and ``modseq`` (0: unknown) are the
    source's at the end of the last finished pass. ``copied``, ``excluded`` and ``refused`` count what the source
    still held then; ``top`` is the highest target UID known as ours, ``known`` how many these are.
    """

    number: int
    source: bytes
    source_uidvalidity: int
    target: bytes
    target_uidvalidity: int
    uidnext: int = 1
    messages: int = 0
    modseq: int = 0
    copied: int = 0
    excluded: int = 0
    refused: int = 0
    top: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class FolderCounts:
    """``fates`` of the messages that the source still holds; ``known`` and ``top`` as in FolderState."""

    fates: Mapping[Fate, int]
    known: int
    top: int

    @property
    def held(self) -> int:
        """Messages of the source that are accounted for and still there."""
        return sum(self.fates.values())


@dataclass(frozen=True, slots=True)
class Doubt:
    """A batch that was begun and not seen to end: its messages may stand on the target or not."""

    number: int
    folder: int
    uids: tuple[int, ...]
    target_uidnext: int
    begun: datetime
