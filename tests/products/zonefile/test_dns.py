"""The zone file backend: what it reads, and which lines it writes."""

from pathlib import Path

import pytest

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from tests.products.zonefile.zones import (
    SERIAL,
    TYPICAL,
    opened,
    opened_at,
    soa_serial,
    standing,
    undo,
    without_serial,
    write,
)

MX, TXT = "example.org. MX", "example.org. TXT"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def changed_lines(before: str, after: Path) -> list[tuple[str, str]]:
    """The lines that differ, where none was added or removed."""
    pairs = list(zip(before.splitlines(), lines(after), strict=True))
    return [(old, new) for old, new in pairs if old != new and str(SERIAL) not in old]


def test_every_rrset_but_soa_is_read_in_normal_form(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    found = {rrset.name: rrset for rrset in zone.stores["rrset"].read()}
    assert "example.org. SOA" not in found
    assert found[MX] == RRset.of("example.org", "MX", 86400, "10 mail.example.org.", "20 backup.example.net.")
    assert found[TXT].rdata == {"v=spf1 mx -all", 'site-verification=a;b "c"'}
    assert found["old._domainkey.example.org. TXT"].rdata == {"v=DKIM1; k=rsa; p=MIGf"}
    assert found["www.example.org. CNAME"] == RRset.of("www.example.org", "CNAME", 3600, "mail.example.org.")
    assert found["mail.example.org. AAAA"].rdata == {"2001:db8::25"}
    assert found["_dmarc.example.org. TXT"].ttl == 300


def test_names_limit_the_reading(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    assert [r.name for r in zone.stores["rrset"].read([MX, "none.example.org. A"])] == [MX]


def test_the_file_stands_for_its_name_servers(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    assert zone.name_servers is not None
    served = zone.name_servers.served([MX, "none.example.org. A"])
    assert served == {"zone.db": {MX: standing(zone, MX), "none.example.org. A": None}}


def test_a_replaced_exchange_keeps_its_line_and_comment(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    write(zone, MX, RRset.of("example.org", "MX", 86400, "10 mx.new.example.", "20 backup.example.net."))
    assert changed_lines(TYPICAL, tmp_path / "zone.db") == [
        (
            "        IN MX   10 mail         ; the old server",
            "        IN MX   10 mx.new.example.         ; the old server",
        )
    ]


def test_a_lowered_ttl_is_written_before_the_class_and_taken_away_again(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    before = standing(zone, MX)
    assert before
    change = write(zone, MX, before.model_copy(update={"ttl": 300}))
    assert [new for _, new in changed_lines(TYPICAL, tmp_path / "zone.db")] == [
        "        300 IN MX   10 mail         ; the old server",
        "        300 IN MX   20 backup.example.net.",
    ]
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert changed_lines(TYPICAL, tmp_path / "zone.db") == []


def test_a_written_ttl_is_changed_where_it_stands(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    change = write(zone, "_dmarc.example.org. TXT", RRset.of("_dmarc.example.org", "TXT", 60, "v=DMARC1; p=none"))
    assert '_dmarc  60 IN TXT "v=DMARC1; p=none"' in lines(tmp_path / "zone.db")
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert changed_lines(TYPICAL, tmp_path / "zone.db") == []


def test_a_ttl_with_units_keeps_units(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL.replace("www     3600", "www     1H30M"))
    change = write(zone, "www.example.org. CNAME", RRset.of("www.example.org", "CNAME", 300, "mail.example.org."))
    assert "www     5M IN CNAME mail" in lines(tmp_path / "zone.db")
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert "www     1H30M IN CNAME mail" in lines(tmp_path / "zone.db")


def test_our_string_of_a_shared_txt_rrset_changes_and_no_other_line(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    before = standing(zone, TXT)
    assert before
    after = before.rdata - {"v=spf1 mx -all"} | {"v=spf1 mx ip4:192.0.2.99 ~all"}
    write(zone, TXT, before.model_copy(update={"rdata": after}))
    assert [new for _, new in changed_lines(TYPICAL, tmp_path / "zone.db")] == [
        '        IN TXT  "v=spf1 mx ip4:192.0.2.99 ~all" ; who may send'
    ]


def test_a_new_record_of_an_rrset_stands_after_its_last_line(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    before = standing(zone, MX)
    assert before
    write(zone, MX, before.model_copy(update={"rdata": before.rdata | {"30 third.example.net."}}))
    found = lines(tmp_path / "zone.db")
    assert (
        found.index("        IN MX   30 third.example.net.")
        == found.index("        IN MX   20 backup.example.net.") + 1
    )


def test_a_new_type_stands_after_the_last_line_of_its_owner(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    write(zone, "ns1.example.org. AAAA", RRset.of("ns1.example.org", "AAAA", 600, "2001:db8::1"))
    found = lines(tmp_path / "zone.db")
    assert found[found.index("ns1     IN A    192.0.2.1") + 1] == "ns1     600 IN AAAA 2001:db8::1"


def test_a_new_owner_stands_at_the_end_in_the_style_of_the_lines_above(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    name = "new._domainkey.example.org. TXT"
    change = write(zone, name, RRset.of("new._domainkey.example.org", "TXT", 300, "v=DKIM1; p=" + "A" * 400))
    line = f'new._domainkey 300 IN TXT "v=DKIM1; p={"A" * 244}" "{"A" * 156}"'
    assert lines(tmp_path / "zone.db")[-2:] == [line, "; the end"]
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert without_serial((tmp_path / "zone.db").read_bytes()) == without_serial(TYPICAL.encode())


def test_the_line_after_a_removed_owner_gets_the_owner(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    write(zone, "mail.example.org. A", None)
    assert "mail    IN AAAA 2001:db8::25" in lines(tmp_path / "zone.db")
    assert standing(zone, "mail.example.org. A") is None


def test_a_bracketed_record_that_changes_becomes_one_line_and_keeps_its_last_comment(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    name = "old._domainkey.example.org. TXT"
    change = write(zone, name, RRset.of("old._domainkey.example.org", "TXT", 86400, "v=DKIM1; p="))
    assert 'old._domainkey  IN TXT "v=DKIM1; p=" ; the old key' in lines(tmp_path / "zone.db")
    undo(zone, change)
    assert without_serial((tmp_path / "zone.db").read_bytes()) == without_serial(TYPICAL.encode())


def test_a_bracket_opened_before_the_type_is_rewritten_whole(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "odd ( IN TXT\n  one ) ; why\n")
    write(zone, "odd.example.org. TXT", RRset.of("odd.example.org", "TXT", 86400, "two"))
    assert lines(tmp_path / "zone.db")[-1] == 'odd\t86400\tIN\tTXT\t"two" ; why'


def test_several_changes_raise_the_serial_once(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    mx, txt = standing(zone, MX), standing(zone, TXT)
    assert mx
    assert txt
    low = [Change(rrset, rrset.model_copy(update={"ttl": 300})) for rrset in (mx, txt)]
    zone.stores["rrset"].write(low)
    assert soa_serial((tmp_path / "zone.db").read_text()) == 2026030200  # the clock's day is later than the serial's
    assert "2026030200 ; serial" in (tmp_path / "zone.db").read_text()


def test_nothing_to_change_writes_nothing(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    write(zone, MX, standing(zone, MX))
    assert (tmp_path / "zone.db").read_text() == TYPICAL


def test_crlf_line_ends_stay(tmp_path: Path) -> None:
    crlf = TYPICAL.replace("\n", "\r\n").encode()
    zone = opened(tmp_path, crlf)
    change = write(zone, "x.example.org. A", RRset.of("x.example.org", "A", 60, "192.0.2.9"))
    content = (tmp_path / "zone.db").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") == crlf.count(b"\r\n") + 1
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert without_serial((tmp_path / "zone.db").read_bytes()) == without_serial(crlf)


def test_a_directive_that_becomes_the_last_line_keeps_its_line_end(tmp_path: Path) -> None:
    text = TYPICAL.removesuffix("; the end\n") + "$ORIGIN example.org.\nx 60 IN A 192.0.2.9"
    zone = opened(tmp_path, text)
    write(zone, "x.example.org. A", None)
    assert (tmp_path / "zone.db").read_text().endswith("$ORIGIN example.org.\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_missing_last_line_end_stays_missing(tmp_path: Path, newline: str) -> None:
    text = TYPICAL.removesuffix("; the end\n").removesuffix("\n").replace("\n", newline).encode()
    zone = opened(tmp_path, text)
    change = write(zone, "x.example.org. A", RRset.of("x.example.org", "A", 60, "192.0.2.9"))
    assert (tmp_path / "zone.db").read_bytes().endswith(newline.encode() + b"x       60 IN A 192.0.2.9")
    undo(opened_at(tmp_path, file="zone.db", kept="elsewhere"), change)
    assert without_serial((tmp_path / "zone.db").read_bytes()) == without_serial(text)


def test_octets_outside_ascii_and_comments_in_any_encoding_stay(tmp_path: Path) -> None:
    text = TYPICAL.encode() + 'u IN TXT "grün"\n; caf'.encode() + b"\xe9\n"
    zone = opened(tmp_path, text)
    assert standing(zone, "u.example.org. TXT") == RRset.of("u.example.org", "TXT", 86400, r"gr\195\188n")
    change = write(zone, "_dmarc.example.org. TXT", None)
    assert (tmp_path / "zone.db").read_bytes().endswith(text[text.index(b"u IN TXT") :])
    undo(zone, change)
    assert without_serial((tmp_path / "zone.db").read_bytes()) == without_serial(text)


def test_a_change_under_another_origin_is_unambiguous(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "$ORIGIN sub.example.org.\na IN A 192.0.2.7\n")
    write(zone, "b.example.org. A", RRset.of("b.example.org", "A", 86400, "192.0.2.8"))
    write(zone, "b.sub.example.org. A", RRset.of("b.sub.example.org", "A", 86400, "192.0.2.9"))
    assert lines(tmp_path / "zone.db")[-2:] == ["b.example.org. IN A 192.0.2.8", "b.sub.example.org. IN A 192.0.2.9"]


def test_a_change_back_after_someone_elses_edit_keeps_that_edit(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    change = write(zone, MX, RRset.of("example.org", "MX", 300, "10 mx.new.example."))
    path = tmp_path / "zone.db"
    path.write_text(path.read_text() + "theirs IN A 192.0.2.77 ; by hand\n")
    undo(zone, change)
    assert path.read_text().endswith("theirs IN A 192.0.2.77 ; by hand\n")
    assert standing(zone, MX) == change.before


def test_without_a_place_to_keep_lines_the_zone_is_written_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    zone = opened(tmp_path, TYPICAL, kept="file/below")
    write(zone, "_dmarc.example.org. TXT", None)
    assert standing(zone, "_dmarc.example.org. TXT") is None
    assert "not kept" in caplog.text


def test_what_is_no_longer_as_planned_is_stale(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    before = RRset.of("example.org", "MX", 86400, "10 other.example.org.")
    with pytest.raises(StalePlan) as caught:
        zone.stores["rrset"].write([Change(before, None)])
    for part in ("dns/rrset/example.org. MX", "10 other.example.org.", "10 mail.example.org.", "plan again"):
        assert part in str(caught.value)
    assert (tmp_path / "zone.db").read_text() == TYPICAL


def test_cname_beside_other_data_is_refused(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    with pytest.raises(WriteError, match=r"www\.example\.org\. .*CNAME beside TXT.*RFC 1034"):
        write(zone, "www.example.org. TXT", RRset.of("www.example.org", "TXT", 60, "x"))
    assert (tmp_path / "zone.db").read_text() == TYPICAL


def test_cname_may_give_way_to_other_data_in_one_write(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    cname = standing(zone, "www.example.org. CNAME")
    zone.stores["rrset"].write([Change(cname, None), Change(None, RRset.of("www.example.org", "A", 60, "192.0.2.4"))])
    assert standing(zone, "www.example.org. A") is not None


def test_a_zone_with_cname_beside_other_data_is_read(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "www IN TXT x\n")
    assert standing(zone, "www.example.org. TXT") is not None
    assert standing(zone, "www.example.org. CNAME") is not None


def test_generated_records_are_read_but_not_written(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "$GENERATE 1-3 host$ A 192.0.2.$\n")
    assert standing(zone, "host2.example.org. A") == RRset.of("host2.example.org", "A", 86400, "192.0.2.2")
    with pytest.raises(WriteError, match=r"\$GENERATE"):
        write(zone, "host2.example.org. A", None)
    write(zone, "_dmarc.example.org. TXT", None)
    assert (tmp_path / "zone.db").read_text().endswith("$GENERATE 1-3 host$ A 192.0.2.$\n")


def test_a_dynamic_zone_is_left_to_its_name_server(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    (tmp_path / "zone.db.jnl").touch()
    assert standing(zone, MX) is not None
    with pytest.raises(WriteError, match="rndc freeze"):
        write(zone, MX, None)


def test_a_signed_zone_is_not_edited(tmp_path: Path) -> None:
    nsec = "www IN NSEC example.org. CNAME NSEC\n"
    zone = opened(tmp_path, TYPICAL + nsec)
    with pytest.raises(WriteError, match="DNSSEC"):
        write(zone, MX, None)


def test_the_name_servers_of_the_zone_are_not_removed(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    with pytest.raises(WriteError, match="replaced, not removed"):
        write(zone, "example.org. NS", None)


def test_a_name_server_of_the_zone_keeps_an_address(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    with pytest.raises(WriteError, match="left without an address"):
        write(zone, "ns1.example.org. A", None)
    write(zone, "ns1.example.org. AAAA", RRset.of("ns1.example.org", "AAAA", 60, "2001:db8::53"))
    write(zone, "ns1.example.org. A", None)


@pytest.mark.parametrize(
    ("name", "after", "reason"),
    [
        ("example.org. SOA", RRset.of("example.org", "SOA", 60, "a. b. 1 2 3 4 5"), "only its serial"),
        ("other.example. A", RRset.of("other.example", "A", 60, "192.0.2.1"), "outside of the zone"),
        ("notexample.org. A", RRset.of("notexample.org", "A", 60, "192.0.2.1"), "outside of the zone"),
        ("k.example.org. TXT", RRset.of("k.example.org", "TXT", 60, "${new/dkim_key/k}"), "not known yet"),
    ],
)
def test_what_is_not_ours_to_write_is_refused(tmp_path: Path, name: str, after: RRset, reason: str) -> None:
    zone = opened(tmp_path, TYPICAL)
    with pytest.raises(WriteError, match=reason):
        zone.stores["rrset"].write([Change(None, after)])
    assert (tmp_path / "zone.db").read_text() == TYPICAL


def test_somebody_elses_mixed_ttls_are_not_decided_anew(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL + "m 60 A 192.0.2.1\nn A 192.0.2.2\nm 90 A 192.0.2.3\n")
    found = standing(zone, "m.example.org. A")
    assert found
    assert found.ttl == 90
    with pytest.raises(WriteError, match=r"m\.example\.org\. A have several TTLs.*turn 90 into 60"):
        write(zone, "n.example.org. A", None)
    write(zone, "m.example.org. A", found.model_copy(update={"ttl": 70}))
    write(zone, "n.example.org. A", None)
    assert lines(tmp_path / "zone.db")[-2:] == ["m 70 A 192.0.2.1", "m 70 A 192.0.2.3"]


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "org.zone").write_text(TYPICAL)
    (tmp_path / "zone.db").symlink_to("real/org.zone")
    zone = opened_at(tmp_path, file="zone.db")
    write(zone, MX, None)
    assert (tmp_path / "zone.db").is_symlink()
    assert standing(zone, MX) is None


def test_ttls_without_a_default_come_from_the_line_before_and_stay(tmp_path: Path) -> None:
    text = "@ 600 IN SOA ns1 host 7 1 1 1 1\n NS ns1\nns1 A 192.0.2.1\nm 60 MX 5 ns1\nn A 192.0.2.2\no A 192.0.2.3\n"
    zone = opened(tmp_path, text)
    change = write(zone, "m.example.org. MX", None)
    assert lines(tmp_path / "zone.db")[-2:] == ["n 60 A 192.0.2.2", "o A 192.0.2.3"]
    undo(zone, change)
    assert (tmp_path / "zone.db").read_text() == text.replace(" 7 ", " 9 ")


class TestReload:
    def test_the_command_runs_after_the_write(self, tmp_path: Path) -> None:
        zone = opened(tmp_path, TYPICAL, reload=["cp", str(tmp_path / "zone.db"), str(tmp_path / "told; $HOME")])
        write(zone, MX, None)
        assert (tmp_path / "told; $HOME").read_bytes() == (tmp_path / "zone.db").read_bytes()

    @pytest.mark.parametrize("argv", [["false"], ["cat", "/nonexistent"], ["/nonexistent/rndc", "reload"]])
    def test_a_failure_says_that_the_file_stands_and_what_to_run(self, tmp_path: Path, argv: list[str]) -> None:
        zone = opened(tmp_path, TYPICAL, reload=argv)
        with pytest.raises(WriteError, match="is written, but the name server was not told") as caught:
            write(zone, MX, None)
        assert f"`{' '.join(argv)}`" in str(caught.value)
        assert standing(zone, MX) is None

    def test_what_was_not_told_is_told_before_anything_counts_as_served(self, tmp_path: Path) -> None:
        zone = opened(tmp_path, TYPICAL, reload=["cp", str(tmp_path / "zone.db"), str(tmp_path / "server" / "zone")])
        with pytest.raises(WriteError, match="apply again: the command is run again first"):
            write(zone, MX, None)
        assert zone.name_servers is not None
        with pytest.raises(WriteError, match="the name server was not told"):
            zone.name_servers.served([MX])
        (tmp_path / "server").mkdir()
        assert zone.name_servers.served([MX]) == {"zone.db": {MX: None}}
        assert (tmp_path / "server" / "zone").read_bytes() == (tmp_path / "zone.db").read_bytes()
        (tmp_path / "server" / "zone").unlink()
        zone.name_servers.served([MX])
        assert not (tmp_path / "server" / "zone").exists()  # told once is enough

    def test_a_zone_whose_reload_could_not_be_noted_is_not_written(self, tmp_path: Path) -> None:
        (tmp_path / ".reconciler").write_text("a file where the folder should be")
        zone = opened(tmp_path, TYPICAL, reload=["true"])
        with pytest.raises(WriteError, match=r"could not be made: .* the zone is as it was"):
            write(zone, MX, None)
        assert (tmp_path / "zone.db").read_text() == TYPICAL


class TestIncludes:
    @pytest.fixture
    def zone(self, tmp_path: Path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "mail.inc").write_text("mx IN A 192.0.2.50 ; here\n$INCLUDE more.inc\n")
        (tmp_path / "sub" / "more.inc").write_text("@ IN TXT deep")
        text = TYPICAL + "$INCLUDE sub/mail.inc in.example.org.\n  IN TXT after\nlast IN A 192.0.2.51\n"
        return opened(tmp_path, text)

    def test_records_are_read_through_files(self, zone) -> None:
        assert standing(zone, "mx.in.example.org. A") is not None
        assert standing(zone, "in.example.org. TXT") is not None
        policy = standing(zone, "_dmarc.example.org. TXT")
        assert policy is not None
        assert policy.rdata == {"v=DMARC1; p=none", "after"}
        assert standing(zone, "last.example.org. A") is not None

    def test_a_record_is_edited_where_it_stands(self, zone, tmp_path: Path) -> None:
        change = write(zone, "mx.in.example.org. A", RRset.of("mx.in.example.org", "A", 300, "192.0.2.60"))
        assert (tmp_path / "sub/mail.inc").read_text() == "mx 300 IN A 192.0.2.60 ; here\n$INCLUDE more.inc\n"
        assert soa_serial((tmp_path / "zone.db").read_text()) == 2026030200
        undo(zone, change)
        assert (tmp_path / "sub/mail.inc").read_text() == "mx IN A 192.0.2.50 ; here\n$INCLUDE more.inc\n"

    def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(
        self, zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from reconciler.transports import atomic  # noqa: PLC0415 - only here

        real = atomic.replace

        def refuse(path: Path, content: bytes, **rest) -> None:
            if path.name == "zone.db":
                raise WriteError(f"{path} could not be written")
            real(path, content, **rest)

        monkeypatch.setattr(atomic, "replace", refuse)
        before = (tmp_path / "sub/mail.inc").read_bytes()
        with pytest.raises(WriteError):
            write(zone, "mx.in.example.org. A", None)
        assert (tmp_path / "sub/mail.inc").read_bytes() == before

    def test_a_circle_is_reported(self, zone, tmp_path: Path) -> None:
        (tmp_path / "sub/more.inc").write_text("$INCLUDE ../zone.db\n")
        with pytest.raises(ObserveError, match="includes itself"):
            zone.stores["rrset"].read()

    def test_a_missing_file_is_named(self, zone, tmp_path: Path) -> None:
        (tmp_path / "sub/more.inc").unlink()
        with pytest.raises(ObserveError, match=r"more\.inc could not be read: no such file"):
            zone.stores["rrset"].read()

    def test_a_file_included_twice_is_not_edited(self, tmp_path: Path) -> None:
        (tmp_path / "one.inc").write_text("mx IN A 192.0.2.50\n")
        zone = opened(tmp_path, TYPICAL + "$INCLUDE one.inc a\n$INCLUDE one.inc b\n")
        assert standing(zone, "mx.b.example.org. A") is not None
        with pytest.raises(WriteError, match="more than once"):
            write(zone, "mx.b.example.org. A", None)

    def test_relative_paths_may_start_at_the_name_servers_folder(self, tmp_path: Path) -> None:
        (tmp_path / "bind").mkdir()
        (tmp_path / "bind/one.inc").write_text("mx IN A 192.0.2.50\n")
        zone = opened(tmp_path, TYPICAL + "$INCLUDE one.inc\n", includes="bind")
        assert standing(zone, "mx.example.org. A") is not None


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x IN A 192.0.2.300\n", 24, "not the data of a A record"),
        ("x IN QQQ 1\n", 24, "'QQQ' is not a record type"),
        ("x IN MX mail\n", 24, "not the data of a MX record"),
        ('x IN TXT "open\n', 24, "quotation mark is never closed"),
        ("\nx IN TXT ( a\n b\n", 25, r"\( is never closed"),
        ("x IN A 192.0.2.1 )\n", 24, r"\) has no \("),
        ("x CH TXT a\n", 24, "class CH"),
        ("x\n", 24, "needs a type"),
        ("$WHAT 1\n", 24, r"\$WHAT is not understood"),
        ("$TTL soon\n", 24, "soon|TTL"),
        ("a..b IN A 192.0.2.1\n", 24, "label"),
        ("x IN TXT a\0\n", 24, "zero byte"),
        ("x IN A 192.0.2.1 \\\n", 24, "backslash"),
    ],
)
def test_a_syntax_error_names_file_line_and_reason(tmp_path: Path, text: str, line: int, reason: str) -> None:
    zone = opened(tmp_path, TYPICAL + text)
    with pytest.raises(ObserveError, match=reason) as caught:
        zone.stores["rrset"].read()
    assert str(caught.value).startswith(f"{tmp_path / 'zone.db'}:{line}: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "needs one SOA record, this file gives 0"),
        (TYPICAL[:200].encode(), r"zone\.db:3: .*never closed"),
        (TYPICAL.encode() + b"@ SOA a b 1 1 1 1 1\n", "gives 2 SOA records"),
        (TYPICAL.replace("@       IN SOA", "sub     IN SOA").encode(), r"an SOA record for sub\.example\.org\."),
        (b"\xef\xbb\xbf" + TYPICAL.encode(), "byte order mark"),
        (TYPICAL.replace("$TTL 1d", "").replace("@       IN SOA", "x IN A 192.0.2.1\n@ IN SOA").encode(), "no TTL"),
    ],
)
def test_half_a_zone_is_not_taken_for_a_zone(tmp_path: Path, text: bytes, reason: str) -> None:
    zone = opened(tmp_path, text)
    with pytest.raises(ObserveError, match=reason):
        zone.stores["rrset"].read()


def test_a_missing_zone_file_is_named(tmp_path: Path) -> None:
    zone = opened_at(tmp_path, file="none.db")
    with pytest.raises(ObserveError, match=r"none\.db could not be read: no such file"):
        zone.stores["rrset"].read()
