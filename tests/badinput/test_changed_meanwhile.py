"""Somebody else changes a file between plan and apply, or while apply runs: nothing of theirs is overwritten."""

import json

import pytest

from tests.badinput.conftest import JOURNAL, PATIENCE, edit, goes_on, nothing_changes
from tests.badinput.gate import gate, wait_for


@pytest.fixture
def saved(run, world, spec, monkeypatch):
    """The plan of the quickstart, saved in the folder in which we stand."""
    monkeypatch.chdir(world)
    plan = world / "plan.json"
    assert run("plan", spec, "--out", plan).code == 2
    return plan


def test_a_saved_plan_does_not_overwrite_what_was_changed_since(run, world, spec, saved):
    aliases = world / "new" / "virtual"
    aliases.write_text(aliases.read_text() + "info@example.org  carla@other.example\n")
    theirs = aliases.read_bytes()
    result = run("apply", saved)
    assert result.code == 5
    assert "new/alias/info@example.org: before kind +alias, before targets +carla@other.example" in result.err
    assert "plan again, look at the difference" in result.err
    assert aliases.read_bytes() == theirs
    again = run("plan", spec)
    assert again.code == 2
    assert "carla@other.example" in again.out


def test_a_saved_plan_does_not_overwrite_a_zone_that_was_changed_since(run, world, spec, saved):
    edit(spec, ("stage: prepare", "stage: overlap"))
    assert run("plan", spec, "--out", saved).code == 2
    zone = world / "example.org.zone"
    edit(zone, ("MX   10 mail.old.example.", "MX   10 mail.elsewhere.example."))
    theirs = zone.read_bytes()
    result = run("apply", saved)
    assert result.code in {4, 5}
    assert "example.org" in result.said
    assert zone.read_bytes() == theirs


def test_a_saved_plan_of_a_spec_that_was_changed_since_is_stale(run, world, spec, saved):
    edit(spec, ("name: Ann Example", "name: Ann Other"))
    with nothing_changes(world):
        result = run("apply", saved)
        assert result.code == 5
        assert f"the plan was not made from {spec} as it is now" in result.err
        assert f"plan again: reconciler plan {spec} --out FILE" in result.err


def test_a_plan_of_another_spec_is_stale(run, world, spec, saved, tmp_path):
    other = tmp_path / "world" / "other.yaml"
    other.write_text(spec.read_text().replace("example.org", "example.net"))
    with nothing_changes(world):
        result = run("apply", other, "--plan", saved)
        assert result.code == 5
        assert f"the plan was not made from {other} as it is now" in result.err


def _other_target(data):
    step = next(step for step in data["steps"] if "info@example.org" in json.dumps(step))
    text = json.dumps(step).replace("ann@example.org", "eve@example.org")
    data["steps"][data["steps"].index(step)] = json.loads(text)


def _one_step_less(data):
    data["steps"].pop()


def _later_stage(data):
    data["stage"] = "cutover"


def _no_digest(data):
    del data["digest"]


@pytest.mark.parametrize("by_hand", [_other_target, _one_step_less, _later_stage, _no_digest])
def test_a_plan_that_was_edited_by_hand_is_refused(run, world, saved, by_hand):
    data = json.loads(saved.read_text())
    by_hand(data)
    saved.write_text(json.dumps(data))
    with nothing_changes(world):
        result = run("apply", saved)
        assert result.code == 1
        assert str(saved) in result.err
        assert "plan" in result.err


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"spec": "migration.yaml"}', b"[" * 100_000]
)
def test_what_is_no_plan_is_refused_as_one(run, world, saved, octets):
    saved.write_bytes(octets)
    with nothing_changes(world):
        result = run("apply", saved)
        assert result.code == 1
        assert str(saved) in result.err


def test_a_plan_file_that_is_not_there_is_named(run, world, spec):
    with nothing_changes(world):
        result = run("apply", world / "plan.json")
        assert result.code == 1
        assert f"{world / 'plan.json'} cannot be read: " in result.err


def test_what_others_add_while_a_step_is_under_way_is_kept(start, world, spec):
    begun, go = gate(world, spec)
    child = start("apply", spec, "--yes")
    wait_for(begun, child)
    users = world / "new" / "users"
    users.write_text(users.read_text() + "dora@other.example:{PLAIN}x:::::\n")
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err
    lines = users.read_text().splitlines()
    assert "dora@other.example:{PLAIN}x:::::" in lines
    assert sum(line.startswith("gate@example.org:") for line in lines) == 1


def test_what_others_change_between_two_steps_stops_the_run_and_stands(start, run, world, spec):
    begun, go = gate(world, spec)
    child = start("apply", spec, "--yes")
    wait_for(begun, child)
    aliases = world / "new" / "virtual"
    aliases.write_text(aliases.read_text() + "info@example.org  carla@other.example\n")
    theirs = aliases.read_bytes()
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 5, err
    assert "new/alias/info@example.org changed since the plan was made" in err
    assert "Traceback" not in err
    assert aliases.read_bytes() == theirs
    assert b"gate@example.org" in (world / "new" / "users").read_bytes()  # the steps before it stand
    aliases.write_bytes(theirs.replace(b"info@example.org  carla@other.example\n", b""))
    goes_on(run, spec)
    assert JOURNAL in {path.name for path in world.iterdir()}
