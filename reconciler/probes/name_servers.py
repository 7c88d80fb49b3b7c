"""The name servers that the world asks for the zone: those of the parent's delegation and those that the zone names.

A server that the parent sends people to and the zone's keeper has forgotten goes on saying what was true years ago.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype

from reconciler.extend import Probe, Surroundings
from reconciler.model.address import Place
from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import Unknown, ZoneServer, ZoneServers
from reconciler.model.rrset import RRset, text_of
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec
from reconciler.transports.dns.lookup import ask, look_up

_PORT: Final = 53  # NS records name no other
_AT_ONCE: Final = 8


def gather(spec: Spec, surroundings: Surroundings) -> ZoneServers | None:
    """Find the zone, its parent and the servers of both through the resolver of the spec, then ask each by itself."""
    if spec.probe is None or spec.probe.resolver is None:
        return None
    standing = (address.name for address in surroundings.observed if address.place is Place.DNS)
    names = tuple(name for name in standing if name in surroundings.claimed)
    world = _World(Endpoint.parse(spec.probe.resolver, _PORT), spec.probe.timeout, names)
    try:
        zone = world.zone_of(dns.name.from_text(spec.owner))
        delegated = world.delegation(zone)
        return _asked(world, zone, delegated)
    except Unknown as why:
        return ZoneServers(spec.owner, trouble=f"the resolver {world.resolver} {why}")


@dataclass(frozen=True, slots=True)
class _World:
    """The DNS as the resolver sees it; every method raises Unknown. ``names``: RRsets to ask each server for."""

    resolver: Endpoint
    timeout: float
    names: tuple[str, ...]

    def look_up(self, name: dns.name.Name | str, rdtype: str) -> list[str]:
        return look_up(self.resolver, str(name), rdtype, self.timeout)

    def zone_of(self, name: dns.name.Name) -> dns.name.Name:
        """The zone that holds the name: the nearest one above it that begins with an SOA."""
        while name != dns.name.root and not self.look_up(name, "SOA"):
            name = name.parent()
        return name

    def addresses(self, server: str) -> list[str]:
        """The IPv4 ones, or where there are none the others: this machine may not have IPv6."""
        return self.look_up(server, "A") or self.look_up(server, "AAAA")

    def delegation(self, zone: dns.name.Name) -> frozenset[str] | None:
        """The servers that the parent zone names; None where its own servers serve the zone as well.

        The first of the parent's servers that answers is believed.
        """
        if zone == dns.name.root:
            return None
        parent = self.zone_of(zone.parent())
        last = Unknown(f"knows no name server of {parent}, the zone above {zone}")
        for server in self.look_up(parent, "NS"):
            for address in self.addresses(server):
                try:
                    answer = ask(Endpoint(address, _PORT), str(zone), "NS", self.timeout)
                except Unknown as why:
                    last = Unknown(f"leads to {server} ({address}) for {parent}, which {why}")
                    continue
                return None if answer.flags & dns.flags.AA else _names(answer.authority, zone)
        raise last


def _asked(world: _World, zone: dns.name.Name, delegated: frozenset[str] | None) -> ZoneServers:
    """Each server once for each address; what the zone names is taken from the newest version that is served."""
    asked: dict[str, list[tuple[ZoneServer, frozenset[str]]]] = {}
    to_ask = frozenset(world.look_up(zone, "NS")) | (delegated or frozenset())
    listed = frozenset[str]()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        while to_ask:
            names = sorted(to_ask)
            asked |= zip(names, pool.map(lambda name: [*_of(world, zone, name)], names), strict=True)
            versions = [(it.serial, named) for found in asked.values() for it, named in found if it.serial is not None]
            listed = max(versions, key=lambda version: version[0])[1] if versions else listed
            to_ask = listed - asked.keys()
    servers = [
        replace(server, delegated=name in (delegated or ()), listed=name in listed, name=name.removesuffix("."))
        for name, found in sorted(asked.items())
        for server, _ in found
    ]
    return ZoneServers(str(zone), tuple(servers), hidden=delegated is None)


def _of(world: _World, zone: dns.name.Name, name: str) -> Iterator[tuple[ZoneServer, frozenset[str]]]:
    """A server at each of its addresses, with the servers that it says the zone has."""
    unknown = ZoneServer(name, "", delegated=False, listed=False)
    try:
        addresses = world.addresses(name)
    except Unknown as why:
        yield replace(unknown, trouble=f"has a name that cannot be looked up: the resolver {why}"), frozenset()
        return
    if not addresses:
        yield replace(unknown, trouble="has no address"), frozenset()
    for address in addresses:
        there = replace(unknown, address=address)
        try:
            soa, named = (ask(Endpoint(address, _PORT), str(zone), rdtype, world.timeout) for rdtype in ("SOA", "NS"))
        except Unknown as why:
            yield replace(there, trouble=str(why)), frozenset()
            continue
        serials = [rdata.serial for rrset in soa.answer for rdata in rrset if rdata.rdtype == dns.rdatatype.SOA]
        if serials and soa.flags & dns.flags.AA:
            served = dict(_served(world, there.address))
            yield replace(there, serial=serials[0], served=served), _names(named.answer, zone)
        else:
            yield replace(there, trouble=f"does not serve {zone} (lame)"), frozenset()


def _served(world: _World, address: str) -> Iterator[tuple[str, RRset | None]]:
    """What it says with authority; a question that it does not answer proves nothing."""
    for name in world.names:
        owner, _, rdtype = name.rpartition(" ")
        try:
            answer = ask(Endpoint(address, _PORT), owner, rdtype, world.timeout)
        except Unknown:
            continue
        if answer.flags & dns.flags.AA:
            wanted = dns.name.from_text(owner), dns.rdatatype.from_text(rdtype)
            found = next((rrset for rrset in answer.answer if (rrset.name, rrset.rdtype) == wanted), None)
            yield name, RRset.of(owner, rdtype, found.ttl, *map(text_of, found)) if found else None


def _names(section: Iterable[dns.rrset.RRset], zone: dns.name.Name) -> frozenset[str]:
    found = (rrset for rrset in section if rrset.name == zone and rrset.rdtype == dns.rdatatype.NS)
    return frozenset(rdata.to_text().lower() for rrset in found for rdata in rrset)


PROBE = Probe(
    title="The name servers that the world asks for the zone",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gather=gather,
    source="RFC 1034, section 4.2.2; RFC 1912, section 2.8",
)
