"""Zones that take dynamic updates (RFC 2136), signed with a TSIG key: BIND, Knot, PowerDNS and others.

The primary is read and written; each name server is asked by itself for what the world is told.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from reconciler.extend import Backend, Context, Opened
from reconciler.model.name import owner_name
from reconciler.model.rrset import RRset
from reconciler.products.rfc2136.update import impossible
from reconciler.products.rfc2136.zone import Reading, UpdatedZone
from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Domain, Duration, Reference
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.query import unreadable
from reconciler.transports.dns.server_address import DOMAIN_PORT, Server, ServerText, found, of_records
from reconciler.transports.dns.tsig import Algorithm, KeyName, Tsig


class Options(Frozen):
    """The primary of a zone, as the spec names it."""

    server: ServerText
    """The primary: a name or an address, with `:PORT` where that is not 53."""
    zone: Domain | None = None
    """The zone's name, where it is not the domain itself."""
    key_name: KeyName | None = None
    """What the primary calls the TSIG key; without a key it must know this machine by its address."""
    key_algorithm: Algorithm = "hmac-sha256"
    """As in the key clause of the primary."""
    key_secret: Reference | None = None
    """Where the secret of the key is, in base64."""
    read: Reading = "auto"
    """How the zone is read: by transfer (axfr), by single questions (query), or the first where it is allowed."""
    timeout: float = Field(default=5, gt=0, le=300)
    """Seconds that a name server may take for an answer."""
    wait: Duration = timedelta(minutes=10)
    """How long the other name servers may take to follow a change; 0: they are not waited for."""
    name_servers: tuple[ServerText, ...] = ()
    """The name servers that the world asks, written as `server` is; if silent, those of the zone's NS records."""
    name: str | None = None
    """What plans and messages call it."""

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        if (self.key_name is None) != (self.key_secret is None):
            msg = "key_name and key_secret go together: give both or neither"
            raise ValueError(msg)
        return self


def of_zone(primary: Authority, port: int = DOMAIN_PORT) -> tuple[Server, ...]:
    """The name servers that the NS records of the zone name, in its primary.

    Raises:
        ObserveError: there are none, or one has no address.

    """
    records = primary.rrset(f"{primary.zone} NS")
    if records is None:
        raise unreadable(
            primary.server, primary.zone, "has no NS records for it: the zone begins elsewhere; see `zone`"
        )
    return of_records(records.rdata, port)


def _open(options: Options, context: Context) -> Opened:
    tsig = None
    if options.key_name and options.key_secret:
        tsig = Tsig(options.key_name, options.key_algorithm, options.key_secret, context.secrets)
    zone = owner_name(options.zone or context.domain)
    primary = Authority(found(options.server), zone, options.timeout, tsig)

    def name_servers() -> Sequence[Server]:
        return tuple(map(found, options.name_servers)) or of_zone(primary)

    updated = UpdatedZone(primary, name_servers, options.wait, options.read, context.events)
    return Opened(
        options.name or options.server,
        {RRset.kind: updated},
        name_servers=updated,
        refuses=lambda change: impossible(change, zone),
    )


BACKEND = Backend(
    title="Dynamic updates (RFC 2136) with TSIG",
    options=Options,
    open=_open,
    source="RFC 2136, RFC 8945 (TSIG), RFC 5936 (AXFR); BIND 9.18",
)
