"""Every message of the source is accounted for: copied, vanished, excluded or refused; there is no silent class."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Fate(StrEnum):
    """How one source message ended."""

    COPIED = "copied"  # stands on the target
    EXCLUDED = "excluded"  # a rule of the spec leaves it where it is
    REFUSED = "refused"  # one of the servers said no, in words we keep


class Record(NamedTuple):
    """What the ledger says of one source message.

    ``target_uid`` is 0 where the message stands on the target under a UID that its server did not tell. ``flags`` are
    the source's, as last carried over. ``words``: the rule, or what the server said.
    """

    uid: int
    fate: Fate
    target_uid: int = 0
    flags: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """The account of one folder or mailbox: numbers of messages.

    ``count`` is what the source held when it was listed. ``vanished`` were listed and gone before they could be read.
    ``waiting`` is what a stopped pass leaves to the next. ``new`` of the copied came in this pass, ``recognised`` of
    these stood on the target already. ``octets`` went over the wire.
    """

    count: int = 0
    copied: int = 0
    vanished: int = 0
    excluded: int = 0
    refused: int = 0
    waiting: int = 0
    new: int = 0
    recognised: int = 0
    octets: int = 0

    @property
    def sent(self) -> int:
        """How many messages went over the wire in this pass."""
        return self.new - self.recognised

    @property
    def balanced(self) -> bool:
        """Whether every message is accounted for, none twice."""
        return self.count == self.copied + self.vanished + self.excluded + self.refused + self.waiting

    def __add__(self, other: "Tally") -> "Tally":
        """Over several folders."""
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message or folder that was not copied, for the list that people get; uid 0 is the whole folder."""

    folder: str
    uid: int
    words: str


@dataclass(frozen=True, slots=True)
class FolderAccount:
    """One folder after a pass; ``rule`` says why the whole of it is left where it is, which is no refusal.

    ``notes``: what came over otherwise than it stands on the source, in words for people; no mail is missing by it.
    """

    folder: str
    into: str
    tally: Tally
    refusals: tuple[Refusal, ...] = field(default=())
    rule: str = ""
    notes: tuple[str, ...] = ()

    @property
    def unfinished(self) -> bool:
        """Whether a next pass has something to try again: messages that wait, or the folder as a whole."""
        return self.tally.waiting > 0 or any(not refusal.uid for refusal in self.refusals)


def total(accounts: Iterable[FolderAccount]) -> Tally:
    """The account of the whole mailbox."""
    return sum((account.tally for account in accounts), Tally())
