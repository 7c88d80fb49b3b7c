"""The whole zone at once, by transfer (AXFR, RFC 5936)."""

from typing import Final

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.xfr
import dns.zone

from reconciler.model.rrset import RRset
from reconciler.transports.dns.authority import Authority, normal
from reconciler.transports.dns.query import NoAnswer, explained, refusal, unreadable

_LONGEST: Final = 300.0  # seconds for all of it: a zone of 50,000 records takes four
_KEPT_BY_SERVER: Final = {"SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD", "TYPE65534"}  # 65534: BIND's signing
_NOT_FOR_US: Final = {dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NOTIMP, dns.rcode.FORMERR}


class TransferRefused(Exception):  # noqa: N818 - not an error where the zone can be read otherwise
    """The server transfers the zone to others only; ``str()`` is the end of a sentence about it."""


def transferred(authority: Authority) -> list[RRset]:
    """All RRsets, but those that the server itself makes: SOA, signatures and what belongs to them.

    Raises:
        TransferRefused: the server does not want to.
        ObserveError: it could not be reached, does not accept the key, or the transfer broke off.

    """
    zone = dns.zone.Zone(authority.zone, relativize=False)
    query, _ = dns.xfr.make_query(zone, serial=None)
    if authority.tsig:
        authority.tsig.sign(query)
    try:
        with explained(authority.tsig, authority.timeout):
            _fetch(authority, zone, query)
    except NoAnswer as why:
        raise unreadable(authority.server, authority.zone, str(why)) from why
    found = []
    for name, rdataset in zone.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        rrset = normal(f"{name.to_text().lower()} {rdtype}", rdataset)
        if rrset and rdtype not in _KEPT_BY_SERVER:
            found.append(rrset)
    return found


def _fetch(authority: Authority, zone: dns.zone.Zone, query: dns.message.QueryMessage) -> None:
    server = authority.server
    try:
        dns.query.inbound_xfr(server.address, zone, query, server.port, authority.timeout, _LONGEST)
    except dns.xfr.TransferError as error:
        answer = dns.message.make_response(query)
        answer.set_rcode(error.rcode)
        why = refusal(answer, authority.zone)
        if error.rcode not in _NOT_FOR_US:
            raise unreadable(server, authority.zone, why) from error
        raise TransferRefused(why) from error
