"""Receivers will let mail of both servers pass by the SPF record that this stage leaves, includes and all."""

from collections.abc import Iterator

from reconciler.analysis.effects import changes_spf, redirects
from reconciler.extend import Check, Facts
from reconciler.model.change import Change
from reconciler.model.outside import SpfVerdict, SpfVerdicts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def gates(change: Change) -> bool:
    """The record itself, and the turn to a server that it may disown."""
    return changes_spf(change) or redirects(change)


def judge(_spec: Spec, facts: Facts) -> Answer:
    """By a receiver's own rules; what this stage does not make worse is a warning."""
    seen = facts.outside.get(SpfVerdicts)
    if seen is None:
        return Pass("not asked: probe.resolver in the spec names no resolver")
    record = seen.records.get(facts.stage)
    found = [verdict for verdict in seen.found if verdict.stage is facts.stage]
    if record is None or not found:
        return Pass("no SPF record with a single address of a server to try it with")
    if wrong := [*_wrong(found)]:
        why = f"by {record} receivers would not take the servers for the domain's: {sentences(*wrong)}"
        todo = (
            "mend the SPF record, or the senders in the spec, or have the owner of an include mend it; then plan again"
        )
        acts = any(map(gates, facts.changes)) and not facts.back
        return Fail(why, todo) if acts else Warn(why, todo)
    if unknown := sorted({each.why for each in found if each.result == "temperror"}):
        return Warn(
            f"not all of {record} could be looked up: {sentences(*unknown)}",
            "see that the resolver answers this machine, or name another one in probe.resolver",
        )
    return Pass(f"{record}: mail of {counted(len(found), 'address', 'addresses')} passes")


def _wrong(found: list[SpfVerdict]) -> Iterator[str]:
    """Addresses that fare alike in one clause."""
    alike: dict[tuple[str, str], list[str]] = {}
    for each in found:
        if each.result not in {"pass", "temperror"}:
            alike.setdefault((each.result, each.why), []).append(f"{each.address} ({each.side})")
    for (result, why), addresses in alike.items():
        yield f"{result} for {listed(addresses)}" + (f", because {why[:1].lower()}{why[1:]}" if why else "")


CHECK = Check(
    title="Receivers let both servers pass by SPF",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN}),
    gates=gates,
    judge=judge,
    source="RFC 7208, sections 2.6, 4.6.4 and 8",
)
