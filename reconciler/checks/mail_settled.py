"""Mail is brought back from the new server once nothing more can come there: one pass then finds everything."""

from reconciler.checks._caches import forgotten, in_seconds, latest
from reconciler.checks._routing import Turn, turns
from reconciler.extend import Check, Facts
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.spec.spec import Spec


def gates(change: Change) -> bool:
    """Mail of the new server is copied to the old one."""
    return isinstance(change.after, ReturnedMail)


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each RRset that says where mail goes names the old server, and no cache holds the new one."""
    if not any(map(gates, facts.changes)):
        return Pass("no mail has to be brought back here")
    return latest([_clock(spec, facts, turn) for turn in turns(spec)], "no record in this zone says who takes the mail")


def _clock(spec: Spec, facts: Facts, turn: Turn) -> Pass | Wait:
    after, observed = turn.stands(facts.desired), turn.stands(facts.observed)
    if (after.rdata if after else None) != (observed.rdata if observed else None):
        lasts = f"; then it takes {in_seconds(observed.ttl)} until caches have forgotten it" if observed else ""
        return Wait(None, f"first {turn.name} is changed back{lasts}")

    def new(value: RRset) -> bool:
        return value.rdata == turn.new

    history = facts.histories.get(turn.name)
    return forgotten(turn.name, observed, history, now=facts.now, margin=spec.waits.margin, counts=new)


CHECK = Check(
    title="No mail comes to the new server any more when its mail is brought back",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP}),
    gates=gates,
    judge=judge,
    source="RFC 1034, section 3.6; RFC 2181, section 5.2",
)
