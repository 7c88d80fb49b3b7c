"""Late mail is fetched once nothing more can come: one pass over the server that was left then finds everything.

After the cutover that is the old server; after a return it is the new one, whose mail is brought back.
"""

from reconciler.analysis.caches import forgotten, in_seconds, latest
from reconciler.analysis.cutover_records import Turn, turned, turns
from reconciler.extend import Check, Facts
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.spec import Spec


def gates(change: Change) -> bool:
    """All mail of a server is to be on the other one."""
    return _brings_back(change) or _completes(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each RRset that says where mail goes names the server that mail is copied to, and no cache the other one."""
    if any(map(_brings_back, facts.changes)):
        return latest([_back(spec, facts, turn) for turn in turns(spec)], "no record in this zone says who takes mail")
    late = [turn for turn in turns(spec) if turned(turn, facts.observed)] if any(map(_completes, facts.changes)) else []
    nothing = "no mail has to be fetched from a server that was left"
    return latest([_forgotten(spec, facts, turn, turn.old) for turn in late], nothing)


def _brings_back(change: Change) -> bool:
    return isinstance(change.after, ReturnedMail)


def _completes(change: Change) -> bool:
    return isinstance(change.after, StoredMail) and change.after.complete


def _back(spec: Spec, facts: Facts, turn: Turn) -> Pass | Wait:
    after, observed = turn.stands(facts.desired), turn.stands(facts.observed)
    if (after.rdata if after else None) != (observed.rdata if observed else None):
        lasts = f"; then it takes {in_seconds(observed.ttl)} until caches have forgotten it" if observed else ""
        return Wait(None, f"first {turn.name} is changed back{lasts}")
    return _forgotten(spec, facts, turn, turn.new)


def _forgotten(spec: Spec, facts: Facts, turn: Turn, left: frozenset[str]) -> Pass | Wait:
    def counts(value: RRset) -> bool:
        return value.rdata == left

    history, observed = facts.histories.get(turn.name), turn.stands(facts.observed)
    return forgotten(turn.name, observed, history, now=facts.now, margin=spec.waits.margin, counts=counts)


CHECK = Check(
    title="No more mail comes to the server that was left when its late mail is fetched",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER}),
    gates=gates,
    judge=judge,
    source="RFC 1034, section 3.6; RFC 2181, section 5.2",
)
