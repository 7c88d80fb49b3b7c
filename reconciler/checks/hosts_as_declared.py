"""The addresses of the hosts that stay are ones that the spec knows: the old server's or the new one's."""

from reconciler.analysis.cutover_records import declared
from reconciler.analysis.effects import is_rrset
from reconciler.extend import Check, Facts
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each A and AAAA as read against both sets of the spec; a name without addresses loses none."""
    unknown = [
        f"{turn.name} is {_shown(turn.stands(facts.observed))}, but hosts in the spec says "
        f"{listed(sorted(turn.old)) or 'none'} (old) and {listed(sorted(turn.new)) or 'none'} (new)"
        for turn in declared(spec)
        if turn.name.rpartition(" ")[2] != "MX"
        and _rdata(turn.stands(facts.observed)) not in (set(), turn.old, turn.new)
    ]
    if not spec.hosts:
        return Pass("the spec names no host that keeps its name")
    if not unknown:
        return Pass(f"{counted(len(spec.hosts), 'host')} with addresses that the spec knows")
    return Fail(
        f"addresses would be removed that the spec does not know: {listed(unknown)}",
        "write what stands into hosts in the spec, or take the other address out of the zone if nothing uses it",
    )


def _rdata(standing: RRset | None) -> frozenset[str]:
    return standing.rdata if standing else frozenset()


def _shown(standing: RRset | None) -> str:
    return listed(sorted(_rdata(standing)))


CHECK = Check(
    title="Host addresses are ones that the spec knows",
    stages=frozenset(Stage),
    gates=is_rrset,
    judge=judge,
    source="RFC 1034, section 3.6",
)
