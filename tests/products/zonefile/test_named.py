"""BIND's own programs read every written zone, and find what we meant."""

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.formats.zone.source import load
from reconciler.model.rrset import RRset
from reconciler.products.zonefile.dns import rrsets
from tests.products.zonefile.random_zones import changes_to, even_zone_texts, rrsets_of, source_of, zone_texts
from tests.products.zonefile.zones import ORIGIN, TYPICAL, opened, soa_serial, standing, undo, write

pytestmark = pytest.mark.daemon

few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LENIENT = ("-i", "none", "-k", "ignore", "-m", "ignore", "-n", "ignore", "-r", "ignore", "-S", "ignore", "-M", "ignore")


def compiled(path: Path) -> dict[str, RRset]:
    """The zone as BIND understands it."""
    command = ("named-compilezone", *LENIENT, "-f", "text", "-F", "text", "-o", "-", ORIGIN, path.name)
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return rrsets(load(path, ORIGIN, lambda _path: done.stdout))


def check(path: Path) -> None:
    """As a name server does before it loads a zone."""
    command = ("named-checkzone", "-i", "none", "-k", "ignore", ORIGIN, path.name)
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"loaded serial {soa_serial(path.read_text())}" in done.stdout


@few
@given(zone_texts())
def test_a_zone_is_read_as_bind_reads_it(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zone.db"
        path.write_bytes(content)
        # Without $TTL, BIND hands the first TTL of a mixed RRset on to the lines after it, against RFC 1035.
        assume(content.lower().startswith(b"$ttl") or rrsets_of(content).keys() == rrsets(source_of(content)).keys())
        assert compiled(path) == rrsets(source_of(content))


@few
@given(even_zone_texts(), st.data())
def test_every_written_zone_loads_and_says_what_was_wanted(content: bytes, data: st.DataObject) -> None:
    changes = data.draw(changes_to(content))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zone.db"
        zone = opened(Path(folder), content)
        wanted = compiled(path)
        zone.stores["rrset"].write(changes)
        for change in changes:
            wanted.pop(change.address.name, None)
            if isinstance(change.after, RRset):
                wanted[change.after.name] = change.after
        check(path)
        assert compiled(path) == wanted


def test_a_whole_move_loads_at_every_step(tmp_path: Path) -> None:
    zone, path = opened(tmp_path, TYPICAL), tmp_path / "zone.db"
    start = compiled(path)
    mx, txt = "example.org. MX", "example.org. TXT"
    steps = [
        (mx, RRset.of("example.org", "MX", 300, "10 mail.example.org.", "20 backup.example.net.")),
        (txt, RRset.of("example.org", "TXT", 300, "v=spf1 mx ip4:192.0.2.99 ~all", 'site-verification=a;b "c"')),
        ("new._domainkey.example.org. TXT", RRset.of("new._domainkey.example.org", "TXT", 300, "p=" + "A" * 600)),
        (mx, RRset.of("example.org", "MX", 300, "10 mx.new.example.")),
        ("mail.example.org. A", RRset.of("mail.example.org", "A", 300, "192.0.2.99")),
        ("mail.example.org. AAAA", None),
    ]
    changes = []
    for name, after in steps:
        changes.append(write(zone, name, after))
        check(path)
        assert compiled(path).get(name) == after
    undo(zone, *changes)
    check(path)
    assert compiled(path) == start


def test_what_an_include_hands_back_is_what_bind_says(tmp_path: Path) -> None:
    (tmp_path / "part.inc").write_text("$TTL 111\nin A 192.0.2.1\n$ORIGIN deep.example.org.\nx 222 A 192.0.2.2\n")
    zone = opened(tmp_path, TYPICAL + "$INCLUDE part.inc sub\n IN TXT same-owner\nafter IN A 192.0.2.3\n")
    assert compiled(tmp_path / "zone.db") == {r.name: r for r in zone.stores["rrset"].read()}


@pytest.mark.parametrize("first", ["@ SOA ns1 host 7 1 1 1 500\n", "@ 600 SOA ns1 host 7 1 1 1 500\n"])
@pytest.mark.parametrize("rest", ["", "m 60 MX 5 ns1\nn A 192.0.2.2\n", "m 60 MX 5 ns1\n$TTL 9\nn A 192.0.2.2\n"])
def test_a_ttl_that_nobody_wrote_is_the_one_bind_uses(tmp_path: Path, first: str, rest: str) -> None:
    zone = opened(tmp_path, f"{first} NS ns1\nns1 A 192.0.2.1\n{rest}")
    assert compiled(tmp_path / "zone.db") == {r.name: r for r in zone.stores["rrset"].read()}


def test_generated_records_are_those_of_bind(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "$GENERATE 1-5/2 host${0,3,d} A 192.0.2.$\nafter TXT x\n")
    assert compiled(tmp_path / "zone.db") == {r.name: r for r in zone.stores["rrset"].read()}
    assert standing(zone, "host003.example.org. A") is not None
