"""The names of the addresses that the new server sends from, and whether these names lead back to the addresses."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import dns.reversename

from reconciler.extend import Probe, Surroundings
from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import ReverseName, ReverseNames, Unknown
from reconciler.model.spf import Mechanism
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec
from reconciler.transports.dns.lookup import look_up

_MOST_NAMES: Final = 10  # receivers look at no more (RFC 7208, section 4.6.4)
_AT_ONCE: Final = 8


def gather(spec: Spec, _surroundings: Surroundings) -> ReverseNames | None:
    """Ask the resolver of the spec for each single address in ``new.senders``."""
    if spec.probe is None or spec.probe.resolver is None:
        return None
    resolver = Endpoint.parse(spec.probe.resolver, 53)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = pool.map(partial(_reverse_name, resolver, spec.probe.timeout), _addresses(spec))
        return ReverseNames(str(resolver), tuple(found))


def _reverse_name(resolver: Endpoint, timeout: float, address: str) -> ReverseName:
    rdtype = "AAAA" if ":" in address else "A"
    try:
        pointers = look_up(resolver, dns.reversename.from_address(address).to_text(), "PTR", timeout)[:_MOST_NAMES]
        leads_back = [name for name in pointers if address in look_up(resolver, name, rdtype, timeout)]
    except Unknown as why:
        return ReverseName(address, trouble=str(why))
    names, confirmed = (tuple(name.removesuffix(".").lower() for name in some) for some in (pointers, leads_back))
    return ReverseName(address, names, confirmed)


def _addresses(spec: Spec) -> list[str]:
    """Whole networks have no name of their own, and what lies behind an include is another's."""
    mechanisms = map(Mechanism.parse, spec.new.senders)
    return [m.value.removeprefix(":") for m in mechanisms if m.name in {"ip4", "ip6"} and "/" not in m.value]


PROBE = Probe(
    title="The names of the addresses that the new server sends from",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gather=gather,
    source="RFC 1035, section 3.5; RFC 8601, section 3",
)
