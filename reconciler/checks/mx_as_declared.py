"""The MX that stands is one that the spec knows: the old server's or the new one's.

An exchange that the spec does not name (a backup MX, a filter) would be removed with the first change, and the mail
that waits there would have nowhere to go.
"""

from reconciler.analysis.cutover_records import declared
from reconciler.analysis.effects import is_rrset
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """The MX as read against both sets of the spec, preferences included."""
    mx = next(declared(spec))
    standing = mx.stands(facts.observed)
    if standing is None:
        return Warn(
            f"{spec.domain} has no MX: senders deliver to the addresses of {spec.domain} itself, and an MX will be "
            f"written ({listed(sorted(mx.old))})",
            "see that old.mx names the server that takes the mail today",
        )
    for side, rdata in (("old", mx.old), ("new", mx.new)):
        if standing.rdata == rdata:
            return Pass(f"MX of {spec.domain} is {side}.mx: {listed(sorted(rdata))}")
    unknown = sorted(standing.rdata - mx.old - mx.new)
    which = f"the spec does not know {listed(unknown)} and would remove it" if unknown else "it is neither"
    return Fail(
        f"MX of {spec.domain} is {listed(sorted(standing.rdata))}, but the spec says {listed(sorted(mx.old))} (old.mx) "
        f"and {listed(sorted(mx.new))} (new.mx): {which}",
        "write what stands into old.mx, or take the other exchange out of the zone if it takes no mail any more",
    )


CHECK = Check(
    title="The MX is one that the spec knows",
    stages=frozenset(Stage),
    gates=is_rrset,
    judge=judge,
    source="RFC 5321, section 5.1",
)
