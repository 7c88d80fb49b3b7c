"""SPF: which servers may send for the domain (RFC 7208), one record that many share."""

from collections.abc import Iterator, Sequence

from reconciler.extend import RecordKind, Standing
from reconciler.model.rrset import Claim
from reconciler.model.spf import Mechanism, Spf, is_spf
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """As it stood at prepare; then both servers, relaxed; from harden on the new one alone, with the final policy.

    A spec that names no sender says nothing of SPF: a record without one would disown all mail of the domain.
    """
    if not (spec.old.senders or spec.new.senders or spec.senders):
        return
    if stage is Stage.PREPARE:
        yield Claim(spec.owner, None)
        return
    both = stage < Stage.HARDEN
    senders = [*(spec.old.senders if both else ()), *spec.new.senders, *spec.senders]
    policy = Mechanism.parse(spec.spf.relaxed if both else spec.spf.final)
    mechanisms = (*map(Mechanism.parse, dict.fromkeys(senders)), policy)
    yield Claim(spec.owner, str(Spf(mechanisms)))


def merge(wanted: frozenset[str], standing: Standing) -> frozenset[str]:
    """The claimed mechanisms in the record that stands; what other people have put there stays, in its order.

    What stands keeps its place; new senders go before ``all``. Terms behind ``all``, which no receiver reads, stay
    behind it. Where other people's ``redirect=`` decides the policy (there is no ``all``), it goes on deciding:
    ``all`` beside it would switch it off, with every sender that it authorises (RFC 7208, section 6.1). Two records
    become one. A record that cannot be parsed stays as it stands: a person must mend it first.
    """
    (text,) = wanted
    claimed = Spf.parse(text)
    ever = {mechanism.target for each in standing.ever for mechanism in Spf.parse(each).senders}
    try:
        stood = _one([Spf.parse(each) for each in sorted(standing.observed)])
    except ValueError:
        return standing.observed
    merged = Spf(tuple(_mechanisms(claimed, stood, ever)), stood.modifiers)
    unchanged = merged == stood and len(standing.observed) == 1
    return standing.observed if unchanged else frozenset({str(merged)})


def _mechanisms(claimed: Spf, stood: Spf, ever: set[tuple[str, str]]) -> Iterator[Mechanism]:
    wanted = {mechanism.target: mechanism for mechanism in claimed.senders}
    ends = stood.mechanisms.index(stood.all) if stood.all else len(stood.mechanisms)
    for mechanism in stood.mechanisms[:ends]:
        if mechanism.target in wanted:
            yield wanted.pop(mechanism.target)
        elif mechanism.target not in ever:
            yield mechanism
    yield from wanted.values()
    if claimed.all and not stood.redirect:
        yield claimed.all
    for mechanism in stood.mechanisms[ends:]:
        if mechanism.name != "all" and mechanism.target not in ever:
            yield mechanism


def _one(records: Sequence[Spf]) -> Spf:
    """All of them in one: the first of each mechanism and modifier; what stands behind an ``all`` stays behind it."""
    if len(records) == 1:
        return records[0]
    before: dict[tuple[str, str], Mechanism] = {}
    behind: dict[tuple[str, str], Mechanism] = {}
    modifiers: dict[str, str] = {}
    for record in records:
        reached = before
        for mechanism in record.mechanisms:
            reached = behind if mechanism.name == "all" else reached
            reached.setdefault(mechanism.target, mechanism)
        for name, value in record.modifiers:
            modifiers.setdefault(name, value)
    inert = (mechanism for target, mechanism in behind.items() if target not in before)
    return Spf((*before.values(), *inert), tuple(modifiers.items()))


KIND = RecordKind("TXT", is_spf, desired, source="RFC 7208", merge=merge, moves=True)
