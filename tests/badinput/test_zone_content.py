"""Zones that are wrong, or that say what a move cannot live with."""

import re

import pytest

from tests.badinput.conftest import JOURNAL, edit, goes_on, nothing_changes

MX = "@       IN MX   10 mail.old.example."


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ("@       IN MX   ten mail.old.example.", ":13: 'ten mail.old.example.' is not the data of a MX record"),
        ("@       IN MXX  10 mail.old.example.", ":13: 'MXX' is not a record type"),
        ("@       CH MX   10 mail.old.example.", ":13: the class CH is not IN"),
        ("$FOO bar", r":13: \$FOO is not understood here"),
        ("@       IN MX   ( 10 mail.old.example.", r":13: the bracket \( is never closed"),
        ('@       IN TXT  "one', ":13: a quotation mark is never closed"),
        ("$INCLUDE example.org.zone", ": the file includes itself"),
    ],
)
def test_a_syntax_error_is_told_with_its_line_and_nothing_is_planned(run, world, spec, instead, says):
    zone = world / "example.org.zone"
    edit(zone, (MX, instead))
    with nothing_changes(world, JOURNAL):
        for command, *options in (("plan",), ("apply", "--yes")):
            result = run(command, spec, *options)
            assert (result.code, result.out) == (1, "")
            assert re.search(re.escape(str(zone)) + says, result.err), result.err
            assert re.search("correct the line|remove one", result.err)
    edit(zone, (instead, MX))
    assert run("plan", spec).code == 2


def test_a_missing_include_is_named(run, world, spec):
    edit(world / "example.org.zone", (MX, f"$INCLUDE mail.zone\n{MX}"))
    with nothing_changes(world, JOURNAL):
        result = run("apply", spec, "--yes")
        assert result.code == 1
        assert f"{world / 'mail.zone'} could not be read: no such file or directory" in result.err
        assert "check the path in the spec or the $INCLUDE line" in result.err


@pytest.mark.parametrize(
    ("record", "says", "todo"),
    [
        (
            "@ IN CNAME web.example.net.",
            "example.org. is a CNAME of web.example.net., and an MX belongs there",
            "replace",
        ),
        ('@ IN TXT "v=spf1 mx -all"', "example.org has 2 SPF records, so receivers read none of them", "merge them"),
    ],
)
def test_what_cannot_stand_beside_our_records_blocks_them_until_it_is_mended(run, world, spec, record, says, todo):
    zone = world / "example.org.zone"
    edit(spec, ("stage: prepare", "stage: overlap"))
    zone.write_text(zone.read_text() + record + "\n")
    result = run("apply", spec, "--yes")
    assert result.code == 4
    assert says in result.out
    assert todo in result.out
    assert record in zone.read_text()
    assert "198.51.100.7" not in zone.read_text()
    assert run("plan", spec).code == 4
    edit(zone, (f"{record}\n", ""))
    goes_on(run, spec)
    assert "198.51.100.7" in zone.read_text()
