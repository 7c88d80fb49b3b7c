"""The proof before a zone is written: dnspython reads the new text and must find what was wanted, and no more."""

from collections.abc import Collection, Iterable

import dns.exception
import dns.rdatatype

from reconciler.errors import WriteError
from reconciler.formats.zone.edit import Key
from reconciler.formats.zone.normal import shown
from reconciler.formats.zone.octets import plain
from reconciler.formats.zone.reader import parsed
from reconciler.formats.zone.record import Record, ZoneSource
from reconciler.model.rrset import text_of

Fact = tuple[str, str, int, str]  # owner, type, TTL, rdata in normal form
_SHOWN = 3  # differences in a message; the first ones tell enough


def facts(records: Iterable[Record]) -> set[Fact]:
    """What the records say, without where it is written."""
    return {(record.owner, record.rdtype, record.ttl, record.rdata) for record in records}


def prove(zone: ZoneSource, wanted: set[Fact]) -> None:
    """Compare the zone's text, as dnspython reads it, with what it should say.

    Raises:
        WriteError: it says something else.

    """
    try:
        found = {
            (shown(owner), dns.rdatatype.to_text(rdata.rdtype), ttl, text_of(rdata))
            for owner, ttl, rdata in parsed(plain("".join(zone.flat)), zone.origin)
        }
    except (dns.exception.DNSException, ValueError) as error:
        raise WriteError(_message(zone, f"dnspython cannot read it: {error}")) from error
    if found != wanted:
        missing = [f"{o} {t} {ttl} {rdata} would be missing" for o, t, ttl, rdata in sorted(wanted - found)]
        added = [f"{o} {t} {ttl} {rdata} would be there too" for o, t, ttl, rdata in sorted(found - wanted)]
        raise WriteError(_message(zone, "; ".join([*missing[:_SHOWN], *added[:_SHOWN]])))


def served_ttls(zone: ZoneSource) -> dict[Key, int]:
    """The TTL of each RRset; where its records differ, the first in the owner's last block of lines (BIND 9.18)."""
    ttls: dict[Key, tuple[int, int]] = {}
    block, place = 0, (-1, "")
    for record in zone.records:
        block += place != (record.file, record.owner)
        place = record.file, record.owner
        if record.key not in ttls or ttls[record.key][0] != block:
            ttls[record.key] = block, record.ttl
    return {key: ttl for key, (_, ttl) in ttls.items()}


def prove_ttls(before: ZoneSource, after: ZoneSource, changed: Collection[Key]) -> None:
    """Where the records of somebody else's RRset have several TTLs, the lines around decide which of them counts.

    Raises:
        WriteError: our edit would have decided it anew.

    """
    ttls = served_ttls(after)
    for key, ttl in served_ttls(before).items():
        if key not in changed and ttls.get(key) != ttl:
            raise WriteError(
                f"{before.files[0].path}: the records of {' '.join(key)} have several TTLs, and this change of other "
                f"lines would turn {ttl} into {ttls.get(key)}, so nothing was written; give all its records one TTL "
                "(RFC 2181, section 5.2), then apply again"
            )


def _message(zone: ZoneSource, reason: str) -> str:
    return (
        f"{zone.files[0].path}: the edited zone does not read back as wanted, so nothing was written: {reason}. "
        "Make this change by hand, and report the zone file: this should not happen"
    )
