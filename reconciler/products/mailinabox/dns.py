"""The DNS of a Mail-in-a-Box, by its management API: custom records beside and in the place of its own.

Every record has a TTL of 24 hours. A custom MX replaces the box's own only with preference 10; SPF, DMARC and the DKIM
key are replaced only by texts of its own spelling. What that makes impossible is blocked in the plan. The API checks
little of what it is given, so everything is checked before it is sent and read back afterwards, from the zone file and
from the name servers. A zone exists as long as the box has a mailbox or an alias in it.

Source: Mail-in-a-Box 75, management/dns_update.py; recorded answers of that version are among the tests.
"""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from reconciler.extend import Backend, Context, Opened
from reconciler.model.change import Change
from reconciler.model.name import owner_name
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.products.mailinabox import box as miab_box
from reconciler.products.mailinabox.options import BoxOptions
from reconciler.products.mailinabox.rules import TTL, impossible
from reconciler.products.mailinabox.zone import BoxZone
from reconciler.products.mailinabox.zone_text import Zone
from reconciler.spec.types import Duration
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.server_address import Server, ServerText, found, of_records


class Options(BoxOptions):
    """A Mail-in-a-Box that keeps the zone, and an administrator of it."""

    name: str = ""
    """What plans and messages call it; if silent, Mail-in-a-Box and its name."""
    name_servers: tuple[ServerText, ...] = ()
    """The name servers that the world asks: names or addresses, with `:PORT` where that is not 53; if silent, those
    of the zone's NS records, the box itself at `address` if that is given."""
    timeout: float = Field(default=5, gt=0, le=300)
    """Seconds that a name server may take for an answer."""
    wait: Duration = timedelta(minutes=10)
    """How long the name servers may take to serve a change; 0: they are not waited for."""


def keeps(wanted: Resource, standing: Resource | None) -> Resource | None:
    """Every record has the one TTL."""
    ttl = standing.ttl if isinstance(standing, RRset) else TTL
    return wanted.model_copy(update={"ttl": ttl}) if isinstance(wanted, RRset) and wanted.ttl != ttl else wanted


def open_zone(options: Options, context: Context) -> Opened:
    """Nothing is read yet."""
    box = miab_box.box(options, context.secrets, context.clock)
    domain = owner_name(context.domain)

    def authorities(zone: Zone) -> Sequence[Authority]:
        servers = tuple(map(found, options.name_servers)) or tuple(_of_zone(zone, options))
        return [Authority(server, zone.origin, options.timeout) for server in servers]

    def refuses(change: Change) -> str | None:
        return impossible(change, domain)

    zone = BoxZone(box, domain, authorities, options.wait, context.events)
    return Opened(
        name=f"the DNS of {box.where}" if not options.name else options.name,
        stores={RRset.kind: zone},
        name_servers=zone,
        keeps=keeps,
        refuses=refuses,
        machine=str(options.site),
        close=box.close,
    )


def _of_zone(zone: Zone, options: Options) -> Sequence[Server]:
    """Its NS records; the box's own names (ns1., ns2.) lead to it, whether the DNS knows them yet or not."""
    if not options.address:
        return of_records(zone.name_servers)
    own = {f"ns{number}.{zone.primary}" for number in (1, 2)}
    here = Server(f"ns1.{zone.primary.removesuffix('.')}", str(options.address))
    return (*([here] if own & zone.name_servers else []), *of_records(zone.name_servers - own))


BACKEND = Backend(
    title="The DNS of a Mail-in-a-Box by its API",
    options=Options,
    open=open_zone,
    source="Mail-in-a-Box 75, management/dns_update.py",
)
