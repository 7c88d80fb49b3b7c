"""What our writes did at one address, as a way that can be walked back: pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.engine.desire import Kinds
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage

_LAST_FIRST: Final = tuple(sorted(Stage, reverse=True))


@dataclass(frozen=True, slots=True)
class Written:
    """One write of an earlier run, as the journal has it; not ``sure``: it was cut short unconfirmed.

    ``asked``: a person wants it undone; else a rollback has made it since, on the way there.
    """

    stage: Stage
    change: Change
    sure: bool = True
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Trail:
    """The writes at one address, oldest first, and what stands there now."""

    writes: Sequence[Written]
    standing: Resource | None

    @property
    def start(self) -> Resource | None:
        """What stood before the first write."""
        return self.writes[0].change.before

    def ends(self, kinds: Kinds) -> tuple[Resource | None, ...]:
        """What our last writes may have left, the likeliest first: several where a write was cut short.

        What stood before such a write is one of them only if we had left it: else somebody had changed it before us.
        """
        ends: tuple[Resource | None, ...] = ()
        last: Written | None = None
        for each in self.writes:
            before = each.change.before
            if each.sure:
                ends = ()
            elif last is None or _left(before, last, ends, kinds):
                ends = (before, *ends)
            ends, last = (each.change.after, *ends), each
        return ends

    def is_back(self, kinds: Kinds) -> bool:
        """Whether what stood at the start stands again, alone or beside what other people have put there since."""
        if self.standing == self.start:
            return True
        return self._others(kinds) is not None and kinds.laid(self.start, self.standing) == self.standing

    def is_ours(self, kinds: Kinds) -> bool:
        """Whether what stands is what we left, or what we left with other people's parts added."""
        return _left(self.standing, self.writes[-1], self.ends(kinds), kinds)

    def steps(self, kinds: Kinds) -> Iterator[tuple[Stage, Change]]:
        """From what stands to the start, by way of what stood before each stage; each with the stage it undoes."""
        way = self._way()
        current = self.standing
        for stage in _LAST_FIRST:
            before = [each.change.before for each in way if each.stage >= stage]
            if before and (wanted := self._with_others(before[0], kinds)) != current:
                yield stage, Change(current, wanted)
                current = wanted
        if not way and (wanted := self._with_others(self.start, kinds)) != current:
            yield min(Stage), Change(current, wanted)

    def _way(self) -> Sequence[Written]:
        """The writes without the rounds in them: what was put back since needs no second walk."""
        way: list[Written] = []
        for each in self.writes:
            returned = [n for n, e in enumerate(way) if self._ours(e.change.before) == self._ours(each.change.after)]
            if each.sure and returned:
                del way[returned[0] :]
            else:
                way.append(each)
        return way

    def _ours(self, value: Resource | None) -> object:
        """The part of a value that our writes ever touched: other people's rdata come and go beside it."""
        if not isinstance(value, RRset):
            return value
        touched = {text for each in self.writes for text in _rdata(each.change.before) ^ _rdata(each.change.after)}
        rdata = value.rdata & touched
        return (value.ttl, rdata) if rdata or value.rdata else None

    def _others(self, kinds: Kinds) -> Resource | None:
        """What stands without our part in it; None where all of it is ours, or cannot be told apart."""
        return kinds.laid(None, self.standing)

    def _with_others(self, wanted: Resource | None, kinds: Kinds) -> Resource | None:
        """``wanted`` with the rdata and the TTL, or the rules, that other people have put there since."""
        ends = self.ends(kinds)
        if self.standing not in ends and self._others(kinds) is not None:
            return kinds.laid(wanted, self.standing)
        end = next((end for end in ends if _holds(self.standing, end)), None)
        if not isinstance(self.standing, RRset) or not isinstance(end, RRset):
            return wanted
        rdata = _rdata(wanted) | (self.standing.rdata - end.rdata)
        if not rdata:
            return None
        ttl = wanted.ttl if isinstance(wanted, RRset) and self.standing.ttl == end.ttl else self.standing.ttl
        return self.standing.model_copy(update={"rdata": rdata, "ttl": ttl})


def trails(written: Iterable[Written], observed: Mapping[Address, Resource]) -> dict[Address, Trail]:
    """The trail of each address that was written; ``written`` oldest first.

    What stood before was read once, and a reading has no references: one that a journal holds is not taken from it.
    """
    found: dict[Address, list[Written]] = {}
    for each in map(_as_read, written):
        found.setdefault(each.change.address, []).append(each)
    return {address: Trail(writes, observed.get(address)) for address, writes in found.items()}


def _left(standing: Resource | None, last: Written, ends: Iterable[Resource | None], kinds: Kinds) -> bool:
    """Whether this is one of these ends, with other people's parts added, or a part of a last write cut short."""
    if any(kinds.settled(end, standing) or _holds(standing, end) for end in ends):
        return True
    if last.sure or standing is None:
        return False
    return standing.begins(last.change.after) or standing.begins(last.change.before)


def _holds(standing: Resource | None, end: Resource | None) -> bool:
    return isinstance(end, RRset) and isinstance(standing, RRset) and end.rdata <= standing.rdata


def _as_read(written: Written) -> Written:
    before = written.change.before
    return replace(written, change=Change(before.as_read(), written.change.after)) if before else written


def _rdata(resource: Resource | None) -> frozenset[str]:
    return resource.rdata if isinstance(resource, RRset) else frozenset()
