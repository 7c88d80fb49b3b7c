"""The zone file that a Mail-in-a-Box has written: what its name server serves, if it could load it."""

from dataclasses import dataclass

import dns.exception
import dns.rdataclass
import dns.rdatatype
import dns.zone

from reconciler.model.rrset import RRset, text_of


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as written. ``primary`` is the box's own name, ``name_servers`` are those of its NS records."""

    origin: str
    serial: int
    primary: str
    name_servers: frozenset[str]
    rrsets: dict[str, RRset]


def parsed(text: str, origin: str) -> Zone:
    """Everything but SOA, by name.

    Raises:
        ValueError: no name server would load it.

    """
    try:
        zone = dns.zone.from_text(text, origin=origin, relativize=False)
        soa = zone.get_soa()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    rrsets = {}
    for name, rdataset in zone.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        if rdtype != "SOA":
            made = RRset(
                name=f"{name.to_text().lower()} {rdtype}", ttl=rdataset.ttl, rdata=frozenset(map(text_of, rdataset))
            )
            rrsets[made.name] = made
    servers = rrsets.get(f"{origin} NS")
    return Zone(
        origin=origin,
        serial=soa.serial,
        primary=soa.mname.to_text().lower().removeprefix("ns1."),
        name_servers=servers.rdata if servers else frozenset(),
        rrsets=rrsets,
    )
