"""Whether mail may still come to a server: by an MX, or a host address behind it, that is served or may be cached.

However it came to stand there: a spec that names it, a person who typed it, a name server that lags behind.
Source: RFC 5321, section 5.1 (where there is no MX, the domain itself is the exchange); RFC 7505 (the null MX).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from reconciler.analysis.cutover_records import declared
from reconciler.analysis.zone import rrset_in
from reconciler.model.address import Place
from reconciler.model.resource import State
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.sighting import History
from reconciler.model.spf import Mechanism
from reconciler.spec.servers import Server
from reconciler.spec.spec import Spec

_NOBODY: Final = "."
_LONGEST_USUAL_TTL: Final = timedelta(days=1)
"""What is waited for where nobody has noted what was served before the first look: few zones have longer TTLs."""


@dataclass(frozen=True, slots=True)
class Route:
    """By ``rrset`` mail is sent to ``server``, an exchange or an address.

    ``seen_at``: the name server that was last seen to say so; empty where the zone itself does. ``until``: when the
    last cache that may hold it has forgotten it; None while it is served.
    """

    rrset: str
    server: str
    ttl: int
    seen_at: str = ""
    until: datetime | None = None

    @property
    def stands(self) -> bool:
        """The zone says so now."""
        return self.until is None and not self.seen_at


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the zone: what stands in it, what each name server was seen to serve, and what time it is.

    ``margin`` is added to the time that caches may hold a value.
    """

    zone: State
    histories: Mapping[str, History]
    now: datetime
    margin: timedelta

    def values(self, name: str) -> Iterator[tuple[RRset | None, str, datetime | None]]:
        """Of one RRset: each value that is served or may be cached, by whom, and until when."""
        standing = rrset_in(self.zone, name)
        yield standing, "", None
        history = self.histories.get(name, History())
        for server in history.lagging(standing):
            yield history.of_server(server)[-1].value, server, None
        for server in history.servers:
            for earlier, later in pairwise(history.of_server(server)):
                if earlier.value is not None:
                    until = later.first_seen + timedelta(seconds=earlier.value.ttl) + self.margin
                    if until > self.now:
                        yield earlier.value, server, until


@dataclass(frozen=True, slots=True)
class Side:
    """By what a server is known: exchanges that only it has, and addresses that only it has."""

    exchanges: frozenset[str]
    addresses: frozenset[str]

    @classmethod
    def of(cls, spec: Spec, place: Place, zone: State) -> "Side":
        """As the spec, and the zone for the names of the spec, say."""
        here, there = (spec.old, spec.new) if place is Place.OLD else (spec.new, spec.old)
        names = _exchanges(here) - _exchanges(there)
        mine = _addresses(spec, here, names, zone, place)
        other = Place.NEW if place is Place.OLD else Place.OLD
        return cls(names, mine - _addresses(spec, there, _exchanges(there) - _exchanges(here), zone, other))


def routes(spec: Spec, place: Place, known: Known) -> Iterator[Route]:
    """Every way by which mail for the domain may come to the server now."""
    side = Side.of(spec, place, known.zone)
    mx = rrset_name(spec.domain, "MX")
    for value, seen_at, until in known.values(mx):
        for exchange in exchanges_of(value, spec.owner):
            if exchange in side.exchanges:
                yield Route(mx, exchange, value.ttl if value else 0, seen_at, until)
                continue
            for rdtype in ("A", "AAAA"):
                name = rrset_name(exchange, rdtype)
                for addresses, host_seen_at, host_until in known.values(name):
                    for address in sorted((addresses.rdata if addresses else frozenset()) & side.addresses):
                        ttl = addresses.ttl if addresses else 0
                        yield Route(name, address, ttl, seen_at or host_seen_at, _first(until, host_until))


def before_the_first_look(spec: Spec, known: Known) -> datetime | None:
    """Until when caches may hold what sent mail to the old server before anybody looked; None if nobody has looked yet.

    A server that was seen to send it there, and then to stop, is known by its routes.
    """
    ends = []
    for turn in declared(spec):
        history = known.histories.get(turn.name)
        if history is None or not history.sightings:
            return None
        for server in history.servers:
            first = history.of_server(server)[0]
            if first.value is None or not first.value.rdata & turn.old:
                lasts = max(timedelta(seconds=first.value.ttl if first.value else 0), _LONGEST_USUAL_TTL)
                ends.append(first.first_seen + lasts + known.margin)
    return max(ends, default=known.now)


def ever_named(spec: Spec, place: Place, known: Known) -> tuple[str, ...]:
    """The RRsets that were ever seen to send mail to the server, as far back as the journal goes."""
    side = Side.of(spec, place, known.zone)
    mx = rrset_name(spec.domain, "MX")
    found = [mx] if any(exchanges_of(v, spec.owner) & side.exchanges for v in _ever(mx, known)) else []
    hosts = {exchange for value in _ever(mx, known) for exchange in exchanges_of(value, spec.owner)}
    names = sorted(rrset_name(host, rdtype) for host in hosts for rdtype in ("A", "AAAA"))
    found += [name for name in names if any(value and value.rdata & side.addresses for value in _ever(name, known))]
    return tuple(found)


def exchanges_of(mx: RRset | None, owner: str) -> frozenset[str]:
    """The hosts that mail is sent to, absolute; the null MX sends it to none."""
    if mx is None:
        return frozenset({owner})
    return frozenset(text.split()[-1] for text in mx.rdata) - {_NOBODY}


def _ever(name: str, known: Known) -> Iterator[RRset | None]:
    yield rrset_in(known.zone, name)
    yield from (sighting.value for sighting in known.histories.get(name, History()).sightings if not sighting.gone)


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    """Both must be held for the way to be open."""
    return min((each for each in (one, other) if each is not None), default=None)


def _exchanges(server: Server) -> frozenset[str]:
    return frozenset(f"{each.exchange}." for each in server.mx)


def _addresses(spec: Spec, server: Server, names: frozenset[str], zone: State, place: Place) -> frozenset[str]:
    declared = (pair.old if place is Place.OLD else pair.new for pair in spec.hosts.values())
    found = {str(address) for pair in declared for address in pair}
    for sender in server.senders:
        mechanism = Mechanism.parse(sender)
        if mechanism.name in {"ip4", "ip6"} and "/" not in mechanism.value:  # a single address
            found.add(mechanism.value.removeprefix(":"))
    for name in names - {f"{host}." for host in spec.hosts}:
        for rdtype in ("A", "AAAA"):
            standing = rrset_in(zone, rrset_name(name, rdtype))
            found |= standing.rdata if standing else frozenset()
    return frozenset(found)
