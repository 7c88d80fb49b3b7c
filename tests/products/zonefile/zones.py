"""Zone files for tests: one written by hand with everything in it, and random ones."""

import re
from pathlib import Path

from reconciler.extend import Context, Opened
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.products.zonefile.dns import BACKEND, Options
from tests.support.clock import FakeClock

ORIGIN = "example.org."
SERIAL = 2026030107

TYPICAL = f"""\
; The zone of example.org; ask hostmaster before you touch it
$TTL 1d
@       IN SOA  ns1 hostmaster (
                {SERIAL} ; serial
                1h         ; refresh
                15m        ; retry
                4w         ; expire
                300 )      ; negative
        IN NS   ns1
        IN NS   ns2.example.net.
        IN MX   10 mail         ; the old server
        IN MX   20 backup.example.net.
        IN TXT  "v=spf1 mx -all" ; who may send
        IN TXT  "site-verification=a;b \\"c\\""
ns1     IN A    192.0.2.1
mail    IN A    192.0.2.25
        IN AAAA 2001:db8::25
www     3600 IN CNAME mail

old._domainkey  IN TXT ( "v=DKIM1; k=rsa; "
        "p=MIGf" ) ; the old key
_dmarc  300 IN TXT "v=DMARC1; p=none"
; the end
"""


class NoSecrets:
    def reveal(self, reference: str, /) -> Secret:
        raise AssertionError(reference)


def opened(base: Path, text: str | bytes, clock: FakeClock | None = None, **options: object) -> Opened:
    """The backend on ``base/zone.db`` with this text."""
    content = text.encode() if isinstance(text, str) else text
    (base / "zone.db").write_bytes(content)
    return opened_at(base, clock, file="zone.db", **options)


def opened_at(base: Path, clock: FakeClock | None = None, **options: object) -> Opened:
    """The backend on files that stand already."""
    context = Context(Place.DNS, "example.org", base, NoSecrets(), clock or FakeClock())
    return BACKEND.open(Options.model_validate(options), context)


def standing(zone: Opened, name: str) -> RRset | None:
    """One RRset as it stands."""
    return next(iter(zone.stores["rrset"].read([name])), None)


def write(zone: Opened, name: str, after: RRset | None) -> Change:
    """Make an RRset be this, and give the change that did it."""
    change = Change(standing(zone, name), after)
    zone.stores["rrset"].write([change])
    return change


def undo(zone: Opened, *changes: Change) -> None:
    zone.stores["rrset"].write([change.inverse() for change in reversed(changes)])


def soa_serial(text: str) -> int:
    found = re.search(r"\bSOA\s+\S+\s+\S+\s+\(?\s*(?:;[^\n]*\s+)?(\d+)", text)
    assert found
    return int(found[1])


def without_serial(content: bytes) -> bytes:
    """The text with its serial blanked, to compare everything else."""
    serial = soa_serial(content.decode("utf-8", "surrogateescape"))
    return content.replace(str(serial).encode(), b"SERIAL", 1)
