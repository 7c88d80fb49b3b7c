"""The new server does not send on mail of strangers to strangers.

An open relay is found within hours and sends spam in the domain's name. It loses no mail of ours and may be a machine
that trusts the one that asked, so it is told and holds nothing back.
"""

from reconciler.analysis.effects import nothing
from reconciler.extend import Check, Facts
from reconciler.model.outside import Receptions
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(_spec: Spec, facts: Facts) -> Answer:
    """The replies for an address that is none of the server's business; a 4xx takes nothing either."""
    found = facts.outside.get(Receptions)
    asked = [seen for seen in found.servers if seen.outside] if found else []
    if not asked:
        return Pass("not asked, or nobody answered")
    relays = [f"{seen.server} ({seen.outside})" for seen in asked if seen.outside and seen.outside.taken]
    if not relays:
        return Pass(f"{listed(seen.server for seen in asked)} refuse mail of strangers to strangers")
    return Warn(
        f"mail from anybody to {asked[0].outside_address}, which is not of this domain, is taken by {listed(relays)}: "
        "an open relay sends spam in your name",
        "refuse it there (Postfix: smtpd_relay_restrictions); if it only trusts this machine (mynetworks), plan once "
        "from a machine that it does not trust",
    )


CHECK = Check(
    title="The new server is no open relay",
    stages=frozenset({Stage.CUTOVER}),
    gates=nothing,
    judge=judge,
    source="RFC 5321, section 7.9",
)
