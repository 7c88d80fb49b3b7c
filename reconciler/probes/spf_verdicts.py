"""What receivers will say of mail from either server, by the SPF record of each stage on the way.

Our own reading of the record ends at the edge of the zone. What other people's includes hold, and how many look-ups
they cost, only the network shows.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.analysis.effects import spf_texts
from reconciler.analysis.planned_dns import PlannedDns
from reconciler.analysis.zone import Zone
from reconciler.extend import Probe, Surroundings
from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import SpfVerdict, SpfVerdicts
from reconciler.model.spf import Mechanism
from reconciler.model.stage import Stage
from reconciler.spec.servers import Server
from reconciler.spec.spec import Spec
from reconciler.transports.dns.lookup import asking

_STAGES: Final = frozenset({Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN})


def gather(spec: Spec, surroundings: Surroundings) -> SpfVerdicts | None:
    """Evaluate the planned records for every single address in ``senders`` of the servers that still send then."""
    if spec.probe is None or spec.probe.resolver is None:
        return None
    look_up = asking(Endpoint.parse(spec.probe.resolver, 53), spec.probe.timeout)
    records: dict[Stage, str] = {}
    found: list[SpfVerdict] = []
    for stage in sorted(_STAGES & surroundings.zones.keys()):
        zone = surroundings.zones[stage]
        texts = [*spf_texts(Zone(zone, spec.owner).at(spec.owner, "TXT"))]
        if len(texts) == 1:  # none says nothing, and several are told by the check of the record itself
            records[stage] = texts[0]
            world = PlannedDns(zone, spec.owner, look_up)
            found += _verdicts(spec, stage, texts[0], world)
    return SpfVerdicts(records, tuple(found))


def _verdicts(spec: Spec, stage: Stage, text: str, world: PlannedDns) -> Iterator[SpfVerdict]:
    from reconciler.analysis.spf_verdict import verdict  # noqa: PLC0415 - slow to load, seldom asked for

    servers: dict[str, Server] = {"new": spec.new} | ({"old": spec.old} if stage < Stage.HARDEN else {})
    for side, server in servers.items():
        for address in _addresses(server):
            yield SpfVerdict(stage, side, address, *verdict(world, spec.domain, text, address, server.mx[0].exchange))


def _addresses(server: Server) -> list[str]:
    """Of a whole network nobody knows who sends, and what lies behind an include is another's."""
    mechanisms = map(Mechanism.parse, server.senders)
    return [m.value.removeprefix(":") for m in mechanisms if m.name in {"ip4", "ip6"} and "/" not in m.value]


PROBE = Probe(
    title="What receivers will say of the servers by SPF",
    stages=_STAGES,
    gather=gather,
    source="RFC 7208, sections 2.6 and 4.6.4",
)
