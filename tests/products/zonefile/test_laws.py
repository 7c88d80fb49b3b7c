"""What holds for every zone file and every change."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.rdatatype
import dns.zone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.extend import Opened
from reconciler.formats.zone.normal import shown
from reconciler.formats.zone.reader import parsed
from reconciler.model.change import Change
from reconciler.model.rrset import RRset, text_of
from reconciler.products.zonefile.dns import rrsets
from reconciler.products.zonefile.proof import facts
from tests.products.zonefile.random_zones import changes_to, even_zone_texts, source_of, zone_texts
from tests.products.zonefile.zones import ORIGIN, SERIAL, opened, opened_at, soa_serial, without_serial
from tests.support.examples import examples

many = settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextmanager
def zone_with(content: bytes) -> Iterator[tuple[Path, Opened]]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "zone.db", opened(Path(folder), content)


def dnspython_says(content: bytes) -> set[tuple[str, str, int, str]]:
    return {(shown(o), dns.rdatatype.to_text(r.rdtype), t, text_of(r)) for o, t, r in parsed(content.decode(), ORIGIN)}


def effective(changes: list[Change]) -> bool:
    return any(change.before != change.after for change in changes)


@many
@given(zone_texts())
def test_a_zone_is_read_as_dnspython_reads_it(content: bytes) -> None:
    assert facts(source_of(content).records) == dnspython_says(content)


@many
@given(even_zone_texts(), st.data())
def test_what_was_wanted_stands_and_everything_else_as_before(content: bytes, data: st.DataObject) -> None:
    changes = data.draw(changes_to(content))
    assume(effective(changes))
    with zone_with(content) as (path, zone):
        zone.stores["rrset"].write(changes)
        found, before = rrsets(source_of(path.read_bytes())), rrsets(source_of(content))
        wanted = {name: r for name, r in before.items() if name not in {c.address.name for c in changes}}
        wanted |= {c.after.name: c.after for c in changes if isinstance(c.after, RRset)}
        assert found == wanted
        assert soa_serial(path.read_text()) == 2026030200 > SERIAL
        dns.zone.from_text(path.read_text(), ORIGIN)


@many
@given(even_zone_texts(), st.data())
def test_lines_that_say_everything_themselves_stay_as_they_are(content: bytes, data: st.DataObject) -> None:
    changes = data.draw(changes_to(content))
    names = {change.address.name for change in changes}
    source = source_of(content)
    file = source.files[0]
    records = {record.entry: record for record in source.records}
    kept = []
    for index, entry in enumerate(file.entries):
        record = records.get(index)
        whole = record is None or (
            record.written and record.written.owner and (record.written.ttl or record.by_default)
        )
        ours = record is not None and (f"{record.owner} {record.rdtype}" in names or record.rdtype == "SOA")
        if whole and not ours:
            kept.append(file.text[slice(*entry.span)].rstrip("\r\n"))
    with zone_with(content) as (path, zone):
        zone.stores["rrset"].write(changes)
        rest = path.read_bytes().decode()
        for line in kept:
            assert line in rest
            rest = rest[rest.index(line) + len(line) :]


@many
@given(even_zone_texts(), st.data())
def test_a_change_and_its_inverse_leave_every_octet_but_the_serial(content: bytes, data: st.DataObject) -> None:
    changes = data.draw(changes_to(content))
    assume(effective(changes))
    with zone_with(content) as (path, zone):
        zone.stores["rrset"].write(changes)
        assert path.read_bytes() != content
        zone.stores["rrset"].write([change.inverse() for change in reversed(changes)])
        assert without_serial(path.read_bytes()) == without_serial(content)


@many
@given(even_zone_texts(), st.data())
def test_steps_forward_one_by_one_and_back_in_one_do_so_too(content: bytes, data: st.DataObject) -> None:
    changes = data.draw(changes_to(content))
    with zone_with(content) as (path, zone):
        for change in changes:
            zone.stores["rrset"].write([change])
        zone.stores["rrset"].write([change.inverse() for change in reversed(changes)])
        assert without_serial(path.read_bytes()) == without_serial(content)


@many
@given(even_zone_texts(), st.data())
def test_added_rrsets_are_removed_without_a_trace_even_if_nothing_was_kept(content: bytes, data: st.DataObject) -> None:
    changes = [change for change in data.draw(changes_to(content)) if change.before is None]
    assume(changes)
    with zone_with(content) as (path, zone):
        zone.stores["rrset"].write(changes)
        forgetful = opened_at(path.parent, file="zone.db", kept="elsewhere")
        ttl_handed_down = any(not r.by_default and r.written and not r.written.ttl for r in source_of(content).records)
        forgetful.stores["rrset"].write([change.inverse() for change in changes])
        if not ttl_handed_down:  # where a TTL comes from the line before, the line after ours had to be given its own
            assert without_serial(path.read_bytes()) == without_serial(content)


@many
@given(even_zone_texts(), st.data())
def test_a_ttl_is_lowered_and_restored_in_place_even_if_nothing_was_kept(content: bytes, data: st.DataObject) -> None:
    source = source_of(content)
    assume(all(r.by_default or (r.written and r.written.ttl) for r in source.records))
    spelled = [r for r in source.records if r.written and r.written.ttl and r.ttl == r.implied]
    assume(not spelled)  # whether a default was spelled out, the lowered line cannot tell
    before = data.draw(st.sampled_from(list(rrsets(source).values())))
    with zone_with(content) as (path, zone):
        change = Change(before, before.model_copy(update={"ttl": 77}))
        zone.stores["rrset"].write([change])
        opened_at(path.parent, file="zone.db", kept="elsewhere").stores["rrset"].write([change.inverse()])
        assert without_serial(path.read_bytes()) == without_serial(content)
