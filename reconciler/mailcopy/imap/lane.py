"""One folder while messages flow into it, and what the target's refusals say about it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.mailcopy.model.accounting import Fate, Record, Refusal
from reconciler.mailcopy.model.flags import EVERYTHING, NO_FLAGS, Allowed, keywords, storable
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.refusal import fit_for_people

_SAME_NO = 25
"""Messages refused one after the other in the same words: then it may be the folder that refuses."""

_FEW_LEFT = 2 * _SAME_NO
"""Messages that are tried in any case: no folder is given up for so few."""

_ENOUGH = 3
"""Messages refused in words about the folder, before any got in."""


@dataclass(slots=True)
class Lane:
    """One folder being copied. ``uidnext`` is what the target's is expected to be; ``blocked`` why nothing gets in.

    ``start`` and ``held`` are the target's UIDNEXT and number of messages when it was opened. ``taken``: messages
    that it said OK to. ``notes`` are for people.
    """

    title: str
    state: FolderState
    uidnext: int
    allowed: Allowed = EVERYTHING
    blocked: str = ""
    held: int = 0
    new: int = 0
    octets: int = 0
    start: int = field(init=False)
    vanished: set[int] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    taken: int = 0
    exists: int | None = None
    _left_off: dict[str, list[str]] = field(default_factory=dict)
    _for_one: dict[int, tuple[Allowed, str]] = field(default_factory=dict)
    _doubtful: dict[int, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _limit: str = ""
    _said: str = ""
    _times: int = 0
    _sampled: bool = False
    _in_order: bool = True

    def __post_init__(self) -> None:
        """Remember where the folder stood."""
        self.start = self.uidnext

    def flags_for(self, row: Row) -> str:
        """The flags that the message is sent with."""
        allowed = self._for_one.get(row.uid, (self.allowed, ""))[0]
        return storable(row.flags, allowed)

    def may_be_the_flags(self, uid: int, sent: str, words: str) -> bool:
        """Whether a message refused alone is to be tried with fewer flags: without new keywords, then without any."""
        said = self._for_one.get(uid, (self.allowed, words))[1]
        for fewer in (self.allowed.without_new(self._taken), NO_FLAGS):
            if storable(sent, fewer) != sent:
                self._for_one[uid] = (fewer, said)
                return True
        return False

    def took(self, row: Row, sent: str, target_uid: int) -> Record:
        """A message got in: what the ledger is to know of it."""
        if self.blocked == self._said:
            self.blocked = ""
        self._times, self._sampled = 0, False
        self._taken |= keywords(sent)
        if row.uid in self._for_one:
            _, said = self._for_one.pop(row.uid)
            self._limit = fit_for_people(said)
            lost = set(storable(row.flags, self.allowed).split()) - set(sent.split())
            self.allowed = self.allowed.without_new(self._taken).less(lost - keywords(row.flags))
        self._in_order = self._in_order and target_uid == self.start + self.taken
        self.taken += 1
        words = ""
        if self._limit and (left := [flag for flag in row.flags.split() if flag not in sent.split()]):
            what = "keyword" if all(not flag.startswith("\\") for flag in left) else "flags"
            words = f"without {what} {' '.join(left)}: {self._limit}"
            for flag in left:
                self._left_off.setdefault(flag, []).append(f"UID {row.uid}")
        return Record(row.uid, Fate.COPIED, target_uid, row.flags, words)

    def may_be_the_folder(self, uid: int, words: str) -> bool:
        """Whether words that speak of the folder may be meant so: nothing has got in yet. Three times, and it is."""
        if self.taken:
            return False
        self._doubtful[uid] = words
        if len(self._doubtful) >= _ENOUGH:
            self.blocked = words
        return True

    def of_the_message(self) -> list[Record]:
        """Others got in: the words were about these messages."""
        doubtful, self._doubtful = self._doubtful, {}
        return [self.refuse(uid, fit_for_people(words)) for uid, words in doubtful.items()]

    @property
    def doubted(self) -> str:
        """Why the folder may not take anything, where nothing tells."""
        return next(iter(self._doubtful.values()), "")

    def refuse(self, uid: int, words: str) -> Record:
        """A message did not get in, and will not."""
        self._for_one.pop(uid, None)
        self.refusals.append(Refusal(self.title, uid, words))
        return Record(uid, Fate.REFUSED, words=words)

    def no(self, words: str, left: Callable[[], int]) -> bool:
        """Count a message refused on its own; True when so many were in the same words that others are to be tried.

        ``left`` tells how many messages of the folder are not read yet.
        """
        self._times = self._times + 1 if words == self._said else 1
        self._said = words
        if self._times < _SAME_NO or left() <= _FEW_LEFT:
            return False
        if self._sampled:
            self.blocked = words
            return False
        self._times, self._sampled = 0, True
        return True

    @property
    def as_told(self) -> bool:
        """Whether the target has done what it said: as many messages more, under just the UIDs that it told."""
        grown = self.exists is not None and self.exists - self.held >= self.new
        return grown and self.start > 0 and self._in_order

    @property
    def notes(self) -> tuple[str, ...]:
        """What came over otherwise than it stands on the source."""
        return tuple(
            f"{len(where)} {'message comes' if len(where) == 1 else 'messages come'} without the flag {flag}, as "
            f"{where[0]}: {self._limit}"
            for flag, where in sorted(self._left_off.items())
        )


def spread(rows: Sequence[Row], most: int = _SAME_NO) -> Iterable[Row]:
    """So many of the rows, from the last to the first, as far apart as they can be."""
    most = min(most, len(rows))
    return [rows[-1 - number * len(rows) // most] for number in range(most)]
