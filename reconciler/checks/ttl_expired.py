"""No cache holds the MX or host addresses for longer than the lowered TTL when they are turned.

Otherwise part of the world would go on delivering to the old server for as long as the TTL was before. Going back is
never held up: the old server is still right.
"""

from reconciler.analysis.caches import forgotten, in_seconds, latest
from reconciler.analysis.cutover_records import Turn, turning
from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.spec.spec import Spec


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each RRset that this stage turns to the new server, by its own clock; one that is new has nothing to expire."""
    turned = turning(spec, facts.changes, Place.NEW)
    answers = [
        _clock(spec, facts, turn, standing) for turn in turned if (standing := turn.stands(facts.expected)) is not None
    ]
    return latest(answers, "nothing that caches hold is turned to the new server here")


def _clock(spec: Spec, facts: Facts, turn: Turn, standing: RRset) -> Pass | Wait:
    observed = turn.stands(facts.observed)
    if observed is None:
        return Wait(None, f"first {turn.name} is written; the clock starts once every name server serves it")
    if observed.ttl != standing.ttl:
        return Wait(
            None,
            f"first the TTL of {turn.name} is changed from {observed.ttl} to {standing.ttl}; then it takes "
            f"{in_seconds(observed.ttl)} until caches have forgotten the old one",
        )
    return forgotten(turn.name, standing, facts.histories.get(turn.name), now=facts.now, margin=spec.waits.margin)


CHECK = Check(
    title="Caches have forgotten the TTL from before the move",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 1034, section 3.6; RFC 2181, section 5.2",
)
