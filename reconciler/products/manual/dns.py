"""A zone at any provider, changed by hand: the plan says what to type, and its name servers show when it is done."""

from collections.abc import Sequence

import dns.exception
import dns.resolver
from pydantic import Field

from reconciler.errors import ObserveError
from reconciler.extend import Backend, Context, Opened
from reconciler.model.name import owner_name
from reconciler.model.rrset import RRset
from reconciler.products.manual.zone import ByHandZone
from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Domain
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.server_address import DOMAIN_PORT, Server, ServerText, found, of_records


class Options(Frozen):
    """A zone that has no programming interface, or none that we should use."""

    zone: Domain | None = None
    """The zone's name, where it is not the domain itself."""
    name_servers: tuple[ServerText, ...] = ()
    """The name servers that the world asks: names or addresses, with `:PORT` where that is not 53; if silent, those
    of the zone's NS records."""
    timeout: float = Field(default=5, gt=0, le=300)
    """Seconds that a name server may take for an answer."""
    name: str = "the DNS provider"
    """What plans and messages call it."""


def of_zone(zone: str, resolver: dns.resolver.Resolver, port: int = DOMAIN_PORT) -> tuple[Server, ...]:
    """The name servers of the zone, as a resolver finds them.

    Raises:
        ObserveError: it finds none.

    """
    try:
        hosts = [str(record.target) for record in resolver.resolve(zone, "NS")]
    except dns.exception.DNSException as error:
        raise ObserveError(
            f"the name servers of {zone} cannot be found by this machine's resolver: {error}. Where the zone begins at "
            "another name, set `zone`; else list them in `name_servers`"
        ) from error
    return of_records(hosts, port)


def _open(options: Options, context: Context) -> Opened:
    zone = owner_name(options.zone or context.domain)

    def authorities() -> Sequence[Authority]:
        servers = tuple(map(found, options.name_servers)) or of_zone(zone, dns.resolver.Resolver())
        return [Authority(server, zone, options.timeout) for server in servers]

    by_hand = ByHandZone(authorities)
    return Opened(options.name, {RRset.kind: by_hand}, by_hand=frozenset({RRset.kind}), name_servers=by_hand)


BACKEND = Backend(
    title="Changed by hand",
    options=Options,
    open=_open,
    source="RFC 1034, section 4.3; works with every provider",
)
