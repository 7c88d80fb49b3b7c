import json
import re

import pytest

from tests.support.files_world import write_spec


@pytest.fixture
def overlapped(run, spec):
    """The move has reached overlap in two runs; gives the files as they were before the first."""
    before = contents(spec.parent)
    assert run("apply", spec, "--yes").code == 0
    write_spec(spec, stage="overlap")
    assert run("apply", spec, "--yes").code == 0
    return before


def contents(folder):
    """The world's files; the serial of a zone may only rise."""
    names = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".journal", ".yaml"}]
    kept = {path: path.read_bytes() for path in names if ".reconciler" not in path.parts}
    return {path: without_serial(text) if path.suffix == ".zone" else text for path, text in kept.items()}


def without_serial(zone):
    return zone.replace(zone.split(b"( ")[1].split(b" ")[0], b"SERIAL")


def test_everything_goes_back_byte_for_byte(run, spec, overlapped):
    assert contents(spec.parent) != overlapped
    shown = run("rollback", spec, "--all", "--yes")
    assert shown.code == 0
    assert shown.out.startswith("example.org: rollback to prepare")
    assert shown.out.endswith("Read again: nothing to do: everything stands as it stood before\n")
    assert f"{spec} still says stage: overlap" in shown.err
    assert contents(spec.parent) == overlapped


def test_one_run_can_be_undone(run, spec, overlapped):
    shown = run("rollback", spec, "--run", 2, "--yes")
    assert shown.code == 0
    zone = (spec.parent / "example.org.zone").read_text()
    assert "ip4:198.51.100.1" not in zone
    assert "ann@example.org" in (spec.parent / "new" / "passwd").read_text()


def test_a_stage_and_all_later_ones_can_be_undone(run, spec, overlapped):
    assert run("rollback", spec, "--stage", "overlap", "--yes").code == 0
    assert "ip4:198.51.100.1" not in (spec.parent / "example.org.zone").read_text()
    assert "ann@example.org" in (spec.parent / "new" / "passwd").read_text()
    write_spec(spec, stage="prepare")
    assert run("plan", spec).code == 0


def test_its_plan_can_be_looked_at_without_writing(run, spec, overlapped):
    stood = contents(spec.parent)
    shown = run("rollback", spec, "--all", "--plan-only")
    assert shown.code == 2
    assert shown.out.endswith(f"Next: reconciler rollback {spec} --all\n")
    assert contents(spec.parent) == stood
    data = json.loads(run("rollback", spec, "--all", "--plan-only", "--json").out)
    assert data["intent"] == "rollback"
    assert run("rollback", spec, "--run", 2, "--plan-only", "--format", "markdown").out.startswith("<!-- reconciler")


def test_it_asks_before_it_writes(run, spec, overlapped):
    stood = contents(spec.parent)
    shown = run("rollback", spec, "--all")
    assert shown.code == 1
    assert re.search(r"Roll back \d+ changes of example.org\?", shown.err)
    assert contents(spec.parent) == stood


def test_json_is_one_event_a_line(run, spec, overlapped):
    shown = run("rollback", spec, "--run", 2, "--yes", "--json")
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert events[0]["plan"]["intent"] == "rollback"
    assert events[-1]["event"] == "finished"
    assert events[-1]["exit_code"] == 0


def test_what_somebody_else_has_changed_since_is_not_overwritten(run, spec, overlapped):
    aliases = spec.parent / "new" / "virtual"
    aliases.write_text(
        aliases.read_text().replace("info@example.org ann@example.org", "info@example.org eve@example.net")
    )
    shown = run("rollback", spec, "--all", "--yes")
    assert shown.code == 4
    assert "somebody has changed it since" in shown.out
    assert "info@example.org eve@example.net" in aliases.read_text()


def test_where_nothing_was_done_nothing_can_be_put_back(run, spec):
    shown = run("rollback", spec, "--all", "--yes")
    assert shown.code == 1
    assert "migration.journal has no run of example.org" in shown.err
    assert not spec.with_name("migration.journal").exists()


def test_a_run_that_never_was_is_named(run, spec, overlapped):
    shown = run("rollback", spec, "--run", 7, "--yes")
    assert shown.code == 1
    assert "there is no run 7: the runs are 1 to 2" in shown.err


def test_rolled_back_twice_is_rolled_back_once(run, spec, overlapped):
    assert run("rollback", spec, "--all", "--yes").code == 0
    shown = run("rollback", spec, "--all", "--yes")
    assert shown.code == 0
    assert shown.out.endswith("Nothing to do: everything stands as it stood before\n")
    assert contents(spec.parent) == overlapped
