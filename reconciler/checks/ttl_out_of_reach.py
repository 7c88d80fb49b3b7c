"""TTLs that the DNS product does not let us lower: nothing is held back, but every wait for caches is longer.

Products that give every record one TTL are known by what they make of the wish: an RRset that the cutover turns is
desired with more than ``ttl.during``.
"""

from collections.abc import Iterator

from reconciler.analysis.caches import in_seconds
from reconciler.analysis.cutover_records import turns
from reconciler.analysis.effects import nothing
from reconciler.extend import Check, Facts
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each RRset that the cutover turns, as it will stand after this stage."""
    longest = max((found.ttl for found in _standing(spec, facts)), default=0)
    if longest <= spec.ttl.during:
        return Pass(f"no record that the cutover turns keeps a TTL over {in_seconds(spec.ttl.during)}")
    names = listed(found.name for found in _standing(spec, facts) if found.ttl > spec.ttl.during)
    return Warn(
        f"the zone's keeper gives {names} a TTL of {in_seconds(longest)} and takes no other, so the "
        f"{in_seconds(spec.ttl.during)} of ttl.during cannot be had: each change is in all caches only "
        f"{in_seconds(longest)} later, and so long mail goes on to the old server after the cutover, and to the new "
        "one after going back",
        "keep both servers delivering for that long, and plan the days by it; if that is too slow, let another DNS "
        "host keep the zone during the move",
    )


def _standing(spec: Spec, facts: Facts) -> Iterator[RRset]:
    return (found for turn in turns(spec) if (found := turn.stands(facts.desired)))


CHECK = Check(
    title="TTLs can be lowered",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gates=nothing,
    judge=judge,
    source="RFC 1035, section 3.2.1; RFC 2181, section 5.2",
)
