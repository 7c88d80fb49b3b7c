"""Two folders compared as multisets of messages: the judge's reasoning, which shares nothing with the copier's."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from reconciler.mailcopy.model.flags import SYSTEM, portable
from reconciler.mailcopy.model.message import Identity, telling_apart
from reconciler.model.grade import Difference, Kind

REWRITTEN: Final = "the server rewrote line ends, NUL or a header's octets outside ASCII; the text is the same"
LATER: Final = "it came after the last pass over its folder"
FORWARDED: Final = "one side holds the forwarded copy, which has more header; the text is the same"
SAME_TEXT: Final = "a server tells another size than the text has; the text is the same"
WITHOUT_FLAGS: Final = "without flags"
"""What the copier says of a message that came without the flags that every server has."""


class Judged(NamedTuple):
    """A message as one side shows it; ``arrived`` in seconds since 1970.

    ``size`` and ``flags`` are None where they are not told.
    """

    uid: int
    identity: Identity
    size: int | None
    arrived: int | None
    flags: frozenset[str] | None

    @property
    def is_told(self) -> bool:
        """Whether there is all of it that can be compared."""
        return self.size is not None and self.flags is not None


@dataclass(frozen=True, slots=True)
class Excuses:
    """What explains differences: source UIDs that were not to be copied, with the reason; and what time it is.

    ``flags_are_the_targets``: the user has moved. ``keywords_kept``: the target folder takes new keywords; ``lost``:
    the flags that it does not keep beside these. ``told``: source UIDs to what the copier said that it left off.
    """

    left_out: Mapping[int, str] = field(default_factory=dict)
    now: float = 0.0
    flags_are_the_targets: bool = False
    keywords_kept: bool = True
    lost: frozenset[str] = frozenset()
    told: Mapping[int, str] = field(default_factory=dict)


class Doubt(NamedTuple):
    """A pair (source UID, target UID) that differs in size, and ``redated`` in its date too: the texts decide."""

    uid: int
    target_uid: int
    redated: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """``differences`` that are certain, and the pairs that are not."""

    differences: tuple[Difference, ...]
    doubtful: tuple[Doubt, ...]


def judge(folder: str, source: Sequence[Judged], target: Sequence[Judged], excuses: Excuses) -> Verdict:
    """What differs, message by message; equal ones are paired first, then the nearest of the same identity."""
    found: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    doubtful: list[Doubt] = []
    first = sorted(source, key=lambda message: message.uid in excuses.left_out)  # these may be the missing ones
    who = telling_apart(message.identity for message in (*first, *target))
    here, there = _by_identity(first, who), _by_identity(target, who)
    for identity in dict.fromkeys((*here, *there)):
        pairs, missing, extra = _paired(here.get(identity, []), there.get(identity, []))
        for message in missing:
            found[Kind.MISSING, excuses.left_out.get(message.uid, "")].append(f"UID {message.uid}")
        for message in extra:
            kind = Kind.TWICE if identity in here else Kind.EXTRA
            why = "" if kind is Kind.TWICE else "delivered or written there"
            found[kind, why].append(f"target UID {message.uid}")
        for one, other in pairs:
            unequal = dict(_unequal(one, other, excuses))
            if not _same_size(one, other):
                redated = unequal.get(Kind.DATE) == ""
                doubtful.append(Doubt(one.uid, other.uid, redated))
                unequal = {kind: why for kind, why in unequal.items() if not (redated and kind is Kind.DATE)}
            for kind, why in unequal.items():
                found[kind, why].append(f"UID {one.uid}")
    differences = (Difference(folder, kind, len(who), why, who[0]) for (kind, why), who in found.items())
    return Verdict(tuple(sorted(differences, key=lambda d: (d.kind, d.explained))), tuple(doubtful))


def settle(
    folder: str, doubts: Iterable[Doubt], why_equal: Callable[[Doubt], str], name: Callable[[int], str]
) -> Iterator[Difference]:
    """The differences of doubtful pairs: ``why_equal`` gives SAME_TEXT, REWRITTEN, FORWARDED, or nothing for two texts.

    A copy that a filter sent on has arrived a moment later; nothing else explains another date.
    """
    found: dict[tuple[Kind, str], list[int]] = defaultdict(list)
    for doubt in doubts:
        why = why_equal(doubt)
        found[Kind.SIZE, why].append(doubt.uid)
        if doubt.redated:
            found[Kind.DATE, why if why == FORWARDED else ""].append(doubt.uid)
    for (kind, why), uids in found.items():
        yield Difference(folder, kind, len(uids), why, name(uids[0]))


def _by_identity(messages: Sequence[Judged], who: Callable[[Identity], Hashable]) -> dict[Hashable, list[Judged]]:
    groups: dict[Hashable, list[Judged]] = defaultdict(list)
    for message in messages:
        groups[who(message.identity)].append(message)
    return groups


def _paired(
    source: list[Judged], target: list[Judged]
) -> tuple[list[tuple[Judged, Judged]], list[Judged], list[Judged]]:
    """Equal ones drop out; the others are paired by date and size as far as both sides go."""
    if len(source) == len(target) == 1 and source[0][1:] == target[0][1:] and source[0].is_told:
        return [], [], []  # nearly always, and a mailbox has very many
    waiting: dict[object, list[Judged]] = defaultdict(list)
    for message in target:
        waiting[message[1:]].append(message)
    missing = []
    for message in source:
        if message.is_told and waiting[message[1:]]:
            waiting[message[1:]].pop()
        else:
            missing.append(message)
    extra = [message for group in waiting.values() for message in group]
    pairs = []
    for same in (_date_and_size, _size, _date, lambda _: True):
        for one in list(missing):
            other = next((message for message in extra if same(message) == same(one)), None)
            if other is not None:
                missing.remove(one)
                extra.remove(other)
                pairs.append((one, other))
    return pairs, missing, extra


def _same_size(one: Judged, other: Judged) -> bool:
    """A size that is not told is the same as none."""
    return one.size is not None and one.size == other.size


def _date_and_size(message: Judged) -> object:
    return (message.arrived, message.size)


def _size(message: Judged) -> object:
    return message.size


def _date(message: Judged) -> object:
    return message.arrived


def _unequal(source: Judged, target: Judged, excuses: Excuses) -> Iterator[tuple[Kind, str]]:
    if source.arrived != target.arrived:
        why = ""
        if source.arrived is None:
            why = "the source tells no date, so the moment of the copy stands for it"
        elif source.arrived > excuses.now:
            why = "the date lies in the future, which servers replace by their own"
        yield Kind.DATE, why
    if source.flags is None or target.flags is None:
        yield Kind.FLAGS, "the source tells no flags" if source.flags is None else ""
    elif source.flags != target.flags:
        if excuses.flags_are_the_targets:
            yield Kind.FLAGS, "the user has moved, and the new server's flags win"
        else:
            gained = {flag for flag in target.flags - source.flags if portable(flag)}
            lost = source.flags - target.flags
            if gained or lost:
                yield Kind.FLAGS, "" if gained else _why_lost(lost, excuses, excuses.told.get(source.uid, ""))


def _why_lost(lost: frozenset[str], excuses: Excuses, told: str) -> str:
    """Every flag that is not on the target needs a reason."""
    reasons = dict.fromkeys(_why_off(flag, excuses, told) for flag in sorted(lost))
    return "" if "" in reasons else "; ".join(reasons)


def _why_off(flag: str, excuses: Excuses, told: str) -> str:
    keyword = not flag.startswith("\\")
    if flag == "\\Deleted":
        return "a mark of deletion is not put on mail that stands on the target"
    if not portable(flag):
        return "a flag that not every server could take is not carried"
    if told and (keyword or WITHOUT_FLAGS in told):
        return told
    if excuses.lost.issuperset(SYSTEM):
        return "the target folder keeps no flags"
    if keyword and not excuses.keywords_kept:
        return "the target folder takes no new keywords"
    return "the target folder does not keep such a flag" if flag in excuses.lost else ""
