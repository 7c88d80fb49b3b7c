"""What is never written to a zone, because name servers would refuse the whole of it or mail would be lost."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.errors import WriteError
from reconciler.formats.zone.edit import Key
from reconciler.formats.zone.record import ZoneSource
from reconciler.model.rrset import RRset

_SIGNED: Final = {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM"}
_BESIDE_CNAME: Final = {"CNAME", "RRSIG", "NSEC", "KEY"}  # RFC 4035, section 2.5; RFC 2181, section 10.1
_ADDRESSES: Final = {"A", "AAAA"}


def allow(zone: ZoneSource, wanted: Mapping[Key, RRset | None], path: Path) -> None:
    """Say no to what would harm the zone; ``wanted`` is what becomes of RRsets.

    Raises:
        WriteError: it would; the message says how, and what to do instead.

    """
    if any(record.rdtype in _SIGNED for record in zone.records):
        raise WriteError(
            f"{path} holds a signed zone (DNSSEC); an edit would make its signatures false and the domain unreachable. "
            "Name the unsigned file in the spec, and sign again in `reload`"
        )
    for (owner, rdtype), after in wanted.items():
        _allow_rrset(zone, owner, rdtype, after, path)
    types = _types_after(zone, wanted)
    for owner in sorted({owner for owner, _ in wanted}):
        _allow_owner(zone, owner, types[owner], path)


def _types_after(zone: ZoneSource, wanted: Mapping[Key, RRset | None]) -> Mapping[str, set[str]]:
    types: dict[str, set[str]] = defaultdict(set)
    for owner, rdtype in {record.key for record in zone.records} - wanted.keys():
        types[owner].add(rdtype)
    for (owner, rdtype), after in wanted.items():
        if after is not None:
            types[owner].add(rdtype)
    return types


def _allow_rrset(zone: ZoneSource, owner: str, rdtype: str, after: RRset | None, path: Path) -> None:
    name = f"{owner} {rdtype}"
    if rdtype == "SOA":
        raise WriteError(f"{name} in {path} is not ours to write: only its serial is raised, with every change")
    if owner != zone.origin and not f".{owner}".endswith(f".{zone.origin}"):
        raise WriteError(f"{name} is outside of the zone {zone.origin} that {path} holds; name the right zone file")
    if after is None:
        if owner == zone.origin and rdtype == "NS":
            raise WriteError(f"{name} in {path} is what makes the zone reachable; it can be replaced, not removed")
        return
    if after.unknown or not after.rdata:
        lacks = ", ".join(map(str, after.unknown)) or "no rdata"
        raise WriteError(f"{name} cannot be written to {path}: its value is not known yet ({lacks}); apply that first")
    if rdtype == "CNAME" and len(after.rdata) > 1:
        raise WriteError(f"{name} in {path} would have {len(after.rdata)} targets; a CNAME has one (RFC 2181, 10.1)")


def _allow_owner(zone: ZoneSource, owner: str, types: set[str], path: Path) -> None:
    others = types - _BESIDE_CNAME
    if "CNAME" in types and others:
        raise WriteError(
            f"{owner} in {path} would have CNAME beside {', '.join(sorted(others))}, which RFC 1034, section 3.6.2, "
            "forbids; name servers would refuse the whole zone. Nothing was written; remove the CNAME first"
        )
    serves = any(r.key == (zone.origin, "NS") and r.rdata == owner for r in zone.records)
    if serves and not types & _ADDRESSES:
        raise WriteError(
            f"{owner} in {path} is a name server of this zone and would be left without an address; name servers would "
            "refuse the whole zone (named-checkzone). Nothing was written; take it out of the NS records first"
        )
