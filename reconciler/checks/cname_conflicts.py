"""No CNAME stands where this move puts records, and none behind a new exchange.

A name with a CNAME has nothing else; name servers refuse such a zone, or drop one of the two.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import is_rrset
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.resources.server.dkim_key import key_name
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Every name that the spec puts records at, in any stage."""
    zone = Zone(facts.expected, spec.owner)
    found = [
        f"{owner} is a CNAME of {_target(zone, owner)}, and {what} belongs there"
        for owner, what in _ours(spec)
        if zone.at(owner, "CNAME")
    ]
    found += [
        f"the new exchange {owner} is a CNAME of {_target(zone, owner)}, which an MX must not name"
        for owner in dict.fromkeys(f"{mx.exchange}." for mx in spec.new.mx)
        if zone.at(owner, "CNAME")
    ]
    if not found:
        return Pass("no CNAME in the way")
    return Fail(
        listed(found),
        "replace the CNAME by the records that it stands for; for an exchange name the host behind it in new.mx",
    )


def _ours(spec: Spec) -> Iterator[tuple[str, str]]:
    yield spec.owner, "an MX"
    yield from ((f"{key_name(key.selector, spec.domain)}.", "the new server's DKIM key") for key in spec.new.dkim)
    if spec.dmarc:
        yield f"_dmarc.{spec.owner}", "the DMARC policy"
    yield from ((f"{host}.", "an address") for host in spec.hosts)


def _target(zone: Zone, owner: str) -> str:
    cname = zone.at(owner, "CNAME")
    return listed(sorted(cname.rdata)) if cname else ""


CHECK = Check(
    title="No CNAME stands in the way",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN}),
    gates=is_rrset,
    judge=judge,
    source="RFC 1034, section 3.6.2; RFC 2181, sections 10.1 and 10.3",
)
