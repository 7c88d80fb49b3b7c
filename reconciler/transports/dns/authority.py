"""What one name server says from its own data: RRsets as it serves them, and the serial of the zone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.SOA

from reconciler.model.rrset import RRset, text_of
from reconciler.transports.dns.query import NoAnswer, ask, refusal, unreadable
from reconciler.transports.dns.server_address import Server
from reconciler.transports.dns.tsig import Tsig

_AT_ONCE: Final = 16  # questions under way to all servers together


@dataclass(frozen=True, slots=True)
class Authority:
    """A name server of ``zone`` (absolute), asked by itself; ``timeout`` in seconds for each try.

    Every method raises ObserveError where it does not answer, or not with authority.
    """

    server: Server
    zone: str
    timeout: float
    tsig: Tsig | None = None
    tcp: bool = False

    def serial(self) -> int:
        """Of the zone's SOA."""
        soa = self.standing(f"{self.zone} SOA")
        if soa is None:
            raise unreadable(self.server, self.zone, "has no SOA for it: the zone begins at another name; see `zone`")
        first = soa[0]
        assert isinstance(first, dns.rdtypes.ANY.SOA.SOA)
        return first.serial

    def standing(self, name: str) -> dns.rdataset.Rdataset | None:
        """The RRset, its rdata as they come over the wire; None where the zone has none of its own.

        An answer that a wildcard gave (RFC 4592) is none: an RRset of that name does not exist.
        """
        found = self._answer(name)
        if found is not None and any(_same(found, self._answer(other)) for other in _wildcards(name, self.zone)):
            return None
        return found

    def rrset(self, name: str) -> RRset | None:
        """The same in normal form."""
        return normal(name, self.standing(name))

    def _answer(self, name: str) -> dns.rdataset.Rdataset | None:
        owner, _, rdtype = name.rpartition(" ")
        try:
            answer = ask(self.server, owner, rdtype, self.timeout, self.tsig, tcp=self.tcp)
        except NoAnswer as why:
            raise unreadable(self.server, self.zone, str(why)) from why
        if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise unreadable(self.server, self.zone, refusal(answer, self.zone))
        if not answer.flags & dns.flags.AA:
            if _is_referral(answer, self.zone):
                return None
            raise unreadable(
                self.server,
                self.zone,
                f"does not answer for {owner} with authority: it is a resolver, or does not serve the zone (lame)",
            )
        wanted = dns.rdatatype.from_text(rdtype)
        return answer.get_rrset(answer.answer, dns.name.from_text(owner), dns.rdataclass.IN, wanted)


def normal(name: str, rdataset: dns.rdataset.Rdataset | None) -> RRset | None:
    """An RRset from the wire in normal form."""
    if rdataset is None:
        return None
    return RRset(name=name, ttl=rdataset.ttl, rdata=frozenset(map(text_of, rdataset)))


def served(authorities: Sequence[Authority], names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
    """Label of each server to RRset name to what it serves, all asked at once.

    Raises:
        ObserveError: one of them did not answer.

    """
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        list(pool.map(Authority.serial, authorities))  # one that is down is found out by one question
        pairs = list(product(authorities, names))
        rrsets = pool.map(lambda pair: pair[0].rrset(pair[1]), pairs)
        found: dict[str, dict[str, RRset | None]] = {authority.server.label: {} for authority in authorities}
        for (authority, name), rrset in zip(pairs, rrsets, strict=True):
            found[authority.server.label][name] = rrset
    return found


def read(authority: Authority, names: Collection[str]) -> list[RRset]:
    """Those of the RRsets that exist, asked for at once, in alphabetical order."""
    authority.serial()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return [rrset for rrset in pool.map(partial(Authority.rrset, authority), sorted(names)) if rrset]


def _same(found: dns.rdataset.Rdataset, other: dns.rdataset.Rdataset | None) -> bool:
    return other is not None and found.ttl == other.ttl and set(found) == set(other)


def _wildcards(name: str, zone: str) -> Iterator[str]:
    """The RRsets that could answer in the place of this one, nearest first."""
    owner, _, rdtype = name.rpartition(" ")
    origin, parent = dns.name.from_text(zone), dns.name.from_text(owner)
    if parent.is_wild():
        return
    while parent != origin and parent.is_subdomain(origin):
        parent = parent.parent()
        yield f"*.{parent.to_text()} {rdtype}"


def _is_referral(answer: dns.message.Message, zone: str) -> bool:
    """Whether the name lies in a zone of its own below this one (RFC 1034, section 4.3.2)."""
    origin = dns.name.from_text(zone)
    return any(
        rrset.rdtype == dns.rdatatype.NS and rrset.name != origin and rrset.name.is_subdomain(origin)
        for rrset in answer.authority
    )
