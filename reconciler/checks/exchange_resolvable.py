"""Each new exchange in the domain's own zone has an address.

Without one senders find nobody to deliver to and give the mail back. Names in other zones are not seen here.
"""

from reconciler.analysis.effects import redirects
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """The zone after this stage, wildcards included; a name that the zone delegates is not judged."""
    zone = Zone(facts.desired, spec.owner)
    own = [name for name in dict.fromkeys(f"{mx.exchange}." for mx in spec.new.mx) if zone.sees(name)]
    missing = [name for name in own if not zone.has_address(name) and zone.sees(zone.end(name))]
    if missing:
        return Fail(
            f"no A or AAAA record for {listed(missing)}, which the MX would name: all mail would come back",
            "add the address of the new server to the zone, or correct new.mx",
        )
    return Pass(f"{listed(own)} have addresses" if own else "the new exchanges are named in other zones")


CHECK = Check(
    title="The new exchange has an address",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 5321, section 5.1",
)
