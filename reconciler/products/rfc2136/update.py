"""One change of a zone as one UPDATE (RFC 2136): carried out whole, and only where what it replaces still stands."""

from collections.abc import Iterable, Iterator
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.update

from reconciler.errors import StalePlan, WriteError
from reconciler.model.change import Change
from reconciler.model.rrset import RRset, presentation, text_of
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.query import NoAnswer, over_tcp

_STALE: Final = {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN}
_LARGEST: Final = 65535  # octets of a message over TCP, RFC 1035 section 4.2.2


def impossible(change: Change, zone: str) -> str | None:
    """Why no update of the zone can make the change, or none should; None if one can."""
    name = change.address.name
    owner, _, rdtype = name.rpartition(" ")
    if rdtype == "SOA" or (rdtype == "NS" and owner == zone):
        return f"{name} is not ours to write: it is what makes {zone} reachable"
    if owner != zone and not owner.endswith(f".{zone}"):
        return f"{name} is outside of the zone {zone}: set `zone` to the one that it is in"
    if rdtype == "CNAME" and isinstance(change.after, RRset) and len(change.after.rdata) > 1:
        return f"{name} would have {len(change.after.rdata)} targets; a CNAME has one (RFC 2181, section 10.1)"
    return None


def allow(change: Change, zone: str) -> None:
    """Say no to what cannot be carried out.

    Raises:
        WriteError: it cannot; the message says why.

    """
    name, after = change.address.name, change.after
    if why := impossible(change, zone):
        raise WriteError(f"{why}. Nothing was written")
    if isinstance(after, RRset) and (after.unknown or not after.rdata):
        lacks = ", ".join(map(str, after.unknown)) or "it has no rdata"
        raise WriteError(f"{name} cannot be written: its value is not known yet ({lacks}); apply that first")


def send(authority: Authority, change: Change, standing: dns.rdataset.Rdataset | None) -> None:
    """Replace the whole RRset, whose rdata stand as they came over the wire, by ``after``.

    It is deleted by its type and not by its rdata, which a server compares octet by octet: a TXT that somebody split
    elsewhere would stay. Prerequisites carry no TTL (section 2.4.2): whether that is as planned was seen just before.

    Raises:
        StalePlan: it does not stand so any more; nothing was written.
        WriteError: the server did not do it, or did not answer.
        SecretError: the message could not be signed.

    """
    name, zone, server = change.address.name, authority.zone, authority.server
    message = _message(zone, change, standing)
    if authority.tsig:
        authority.tsig.sign(message)
    try:
        answer = over_tcp(server, message, authority.timeout, authority.tsig)
    except dns.exception.TooBig as error:
        raise WriteError(f"{name} is longer than {_LARGEST} octets, more than an UPDATE can carry") from error
    except NoAnswer as why:
        raise WriteError(
            f"{name} was sent to the primary {server}, which {why}. Whether it was written, only a reading "
            "shows: plan again once the cause is mended"
        ) from why
    code = answer.rcode()
    if code in _STALE:
        raise StalePlan(
            f"{change.address} was changed by somebody else at the same moment: the primary {server} answered "
            f"{dns.rcode.to_text(code)}. Nothing was written; plan again"
        )
    if code != dns.rcode.NOERROR:
        raise WriteError(f"{name} was not written: the primary {server} {_refusal(code, authority)}")


def _message(zone: str, change: Change, standing: dns.rdataset.Rdataset | None) -> dns.update.UpdateMessage:
    """Prerequisites, removal and what stands then, in this order."""
    owner, _, rdtype = change.address.name.rpartition(" ")
    name, after = dns.name.from_text(owner), change.after
    message = dns.update.UpdateMessage(dns.name.from_text(zone))
    if standing is not None:
        message.present(name, *standing)
    elif rdtype == "CNAME":
        message.absent(name)
    else:
        message.absent(name, rdtype)
    if rdtype != "CNAME":  # beside one the server would leave out our records and say that all is well: 3.4.2.2
        message.absent(name, "CNAME")
    if standing is not None:
        message.delete(name, rdtype)
    if isinstance(after, RRset):
        message.add(name, after.ttl, *_rdata(rdtype, after, standing or ()))
    return message


def _rdata(rdtype: str, after: RRset, standing: Iterable[dns.rdata.Rdata]) -> Iterator[dns.rdata.Rdata]:
    """Each text as rdata; what stands already stays as somebody split it."""
    split = {text_of(rdata): rdata for rdata in standing}
    for text in sorted(after.rdata):
        yield split.get(text) or dns.rdata.from_text(dns.rdataclass.IN, rdtype, presentation(rdtype, text))


def _refusal(code: dns.rcode.Rcode, authority: Authority) -> str:
    who = f"the {authority.tsig}" if authority.tsig else "this machine's address (no key is given)"
    return {
        dns.rcode.REFUSED: f"refuses updates by {who} (REFUSED): allow it there, with BIND by `allow-update` or "
        f"`update-policy` in the zone {authority.zone}; and make sure that this is the primary",
        dns.rcode.NOTAUTH: f"is not authoritative for {authority.zone} (NOTAUTH): `server` must be the primary of the "
        "zone, and `zone` its name",
        dns.rcode.NOTIMP: "knows no dynamic updates (NOTIMP): `server` must be the primary; where it has none, use the "
        "backend `zonefile` or `manual`",
        dns.rcode.SERVFAIL: "could not do it (SERVFAIL): its log says why; often it may not write the zone's journal "
        "file, or the disk is full",
        dns.rcode.YXDOMAIN: "has other records of that name, beside which there can be no CNAME (RFC 1034, 3.6.2)",
    }.get(code, f"answered {dns.rcode.to_text(code)}")
