"""The selectors that the old server signs with are the ones in the zone."""

from reconciler.analysis.effects import nothing
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.resources.server.dkim_key import key_name
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """A TXT, or a CNAME to the provider's own record, will do."""
    zone = Zone(facts.observed, spec.owner)
    missing = [
        selector
        for selector in spec.old.dkim
        if not any(zone.at(f"{key_name(selector, spec.domain)}.", rdtype) for rdtype in ("TXT", "CNAME"))
    ]
    if missing:
        return Warn(
            f"the zone has no record for {listed(f'{key_name(s, spec.domain)}.' for s in missing)}: mail that the old "
            "server signs with it fails DKIM today, or the spec names another selector",
            "see the s= of a DKIM-Signature in mail from the old server, and correct old.dkim or the zone",
        )
    return Pass(f"records of the old server's selectors stand: {listed(spec.old.dkim) or 'none are declared'}")


CHECK = Check(
    title="The old server's DKIM records stand",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP}),
    gates=nothing,
    judge=judge,
    source="RFC 6376, section 3.6.2",
)
