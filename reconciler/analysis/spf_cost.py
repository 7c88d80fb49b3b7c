"""What evaluating an SPF record costs, as far as the records that were read show it (RFC 7208, section 4.6.4)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from reconciler.analysis.zone import Zone
from reconciler.model.spf import Mechanism, Spf, is_spf

_MOST_EXCHANGES: Final = 10  # address look-ups for one mx term, RFC 7208 section 4.6.4


@dataclass(slots=True)
class Tally:
    """``lookups``: terms that ask the DNS, those inside of includes too. ``void``: terms that find nothing.

    ``unseen``: included domains whose own terms are not counted because their records are in other zones. ``broken``:
    faults for which receivers give up on the whole record.
    """

    lookups: int = 0
    void: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def tally(record: Spf, owner: str, zone: Zone) -> Tally:
    """Count the record at an absolute owner name, and what it includes."""
    total = Tally()
    _count(record, owner, zone, total, (owner,))
    return total


def _count(record: Spf, owner: str, zone: Zone, total: Tally, path: tuple[str, ...]) -> None:
    total.lookups += record.lookups
    for mechanism in reached(record):
        if not mechanism.looks_up:
            continue
        target = f"{mechanism.domain}." if mechanism.domain else owner
        if "%" in target or not zone.sees(target) or not zone.sees(zone.end(target)):
            if mechanism.name == "include":
                total.unseen.append(target)
        elif mechanism.name == "include":
            _follow(target, f"{mechanism}", zone, total, path)
        elif mechanism.name == "mx":
            _count_exchanges(target, f"{mechanism}", zone, total)
        elif mechanism.name in {"a", "exists"} and not zone.has_address(target):
            total.void.append(f"{mechanism}")
    if record.redirect:
        target = f"{record.redirect}."
        if "%" in target or not zone.sees(target):
            total.unseen.append(target)
        else:
            _follow(target, f"redirect={record.redirect}", zone, total, path)


def reached(record: Spf) -> Iterator[Mechanism]:
    """The mechanisms up to ``all``: nothing behind it is evaluated (RFC 7208, section 5.1)."""
    for mechanism in record.mechanisms:
        if mechanism.name == "all":
            return
        yield mechanism


def _follow(target: str, term: str, zone: Zone, total: Tally, path: tuple[str, ...]) -> None:
    if target in path:
        total.broken.append(f"{term} leads back to itself: {' -> '.join([*path, target])}")
        return
    texts = sorted(zone.texts(target))
    records = [text for text in texts if is_spf(text)]
    if not texts:  # some DNS products show only the names that were asked for, so this is no proof
        total.void.append(term)
        return
    if len(records) != 1:
        total.broken.append(f"{term}: {target} has {len(records) or 'no'} SPF record{'s' * (len(records) > 1)}")
        return
    try:
        record = Spf.parse(records[0])
    except ValueError as error:
        total.broken.append(f"{term}: {error}")
        return
    _count(record, target, zone, total, (*path, target))


def _count_exchanges(target: str, term: str, zone: Zone, total: Tally) -> None:
    exchanges = zone.answer(target, "MX")
    if exchanges is None:
        total.void.append(term)
    elif len(exchanges.rdata) > _MOST_EXCHANGES:
        total.broken.append(f"{term}: {target} has {len(exchanges.rdata)} exchanges, more than {_MOST_EXCHANGES}")
