"""No cache sends mail to the other server any more when what that server needs is taken away.

On the way on (harden): SPF of the old server, the low TTLs, the forwards. On the way back (prepare): SPF of the new
server, its DKIM key, its accounts and the forwards, because mail may still arrive and be answered there.
"""

from typing import Final

from reconciler.analysis.caches import forgotten, in_seconds, last_forgotten, latest
from reconciler.analysis.cutover_records import Turn, turned, turns
from reconciler.analysis.effects import (
    changes_dmarc,
    changes_spf,
    ends_forward,
    raises_ttl,
    removes_from_new,
    removes_key,
)
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.spec.spec import Spec

_TAKE_AWAY: Final = (changes_spf, changes_dmarc, removes_key, raises_ttl, ends_forward, removes_from_new)


def gates(change: Change) -> bool:
    """What the server that is left still needs, and TTLs that would make a return slow."""
    if change.before is None and change.address.place is not Place.DNS:
        return False  # asked of every change of a long plan, most of which make something on the new server
    return any(gate(change) for gate in _TAKE_AWAY)


def judge(spec: Spec, facts: Facts) -> Answer:
    """Ask only where something is taken away; each RRset that the cutover turns has its own clock."""
    if not any(map(gates, facts.changes)):
        return Pass("nothing is taken from either server here")
    answers = [_clock(spec, facts, turn) for turn in turns(spec)]
    return latest(answers, "no record in this zone says which server takes the mail")


def _clock(spec: Spec, facts: Facts, turn: Turn) -> Pass | Wait:
    standing, observed = turn.stands(facts.expected), turn.stands(facts.observed)
    if _rdata(standing) != _rdata(observed):
        replaced = (standing or observed) if observed else None  # an earlier step has given both the same TTL by then
        lasts = f"; then it takes {in_seconds(replaced.ttl)} until caches have forgotten it" if replaced else ""
        return Wait(None, f"first {turn.name} is changed{lasts}")
    if facts.stage is Stage.HARDEN and not turned(turn, facts.expected):
        return Wait(None, f"{turn.name} does not name the new server yet")

    def elsewhere(value: RRset) -> bool:
        return value.rdata != _rdata(observed)

    history = facts.histories.get(turn.name)
    never = history is not None and not history.lagging(observed) and last_forgotten(history, elsewhere) is None
    if never and (facts.stage < Stage.CUTOVER or not turn.old):
        return Pass(f"{turn.name} was never seen to name another server")
    return forgotten(turn.name, observed, history, now=facts.now, margin=spec.waits.margin, counts=elsewhere)


def _rdata(value: RRset | None) -> frozenset[str]:
    return value.rdata if value else frozenset()


CHECK = Check(
    title="No cache still sends mail to the server that is left",
    stages=frozenset({Stage.PREPARE, Stage.HARDEN}),
    gates=gates,
    judge=judge,
    source="RFC 1034, section 3.6; RFC 2181, section 5.2",
)
