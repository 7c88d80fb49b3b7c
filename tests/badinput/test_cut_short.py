"""Ctrl-C, kill -9 and a second run at once: no line is lost or doubled, and the next apply comes to the end."""

import collections
import signal
import subprocess

import pytest

from tests.badinput.conftest import JOURNAL, PATIENCE, goes_on, nothing_changes
from tests.badinput.gate import gate, wait_for

FIRST = 500  # mailboxes in a batch of their own, before the batch of the one that waits
LATER = 5


@pytest.fixture
def halfway(start, world, spec):
    """An apply of many mailboxes that has made some of them and stands in the middle of a write."""
    begun, go = gate(world, spec, before=FIRST, after=LATER)
    child = start("apply", spec, "--yes", stdout=subprocess.DEVNULL)  # a full pipe would hold it up
    wait_for(begun, child)
    return child, go


def accounts(world):
    """How often each account stands in the new server's file; every line must be whole."""
    lines = [line for line in (world / "new" / "users").read_text().splitlines() if not line.startswith("#")]
    assert all(line.count(":") >= 5 for line in lines)
    return collections.Counter(line.partition(":")[0] for line in lines)


def every_account_once(world):
    found = accounts(world)
    assert len(found) == FIRST + LATER + 4  # ann, bob, the one that waits, and carla of the other domain
    assert set(found.values()) == {1}


def test_ctrl_c_finishes_the_write_that_is_under_way(halfway, run, world, spec):
    child, go = halfway
    child.send_signal(signal.SIGINT)
    while not (line := child.stderr.readline()).startswith("stopping: the write that is under way is finished first"):
        assert line
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 1
    assert "error: stopped as asked; every step before this one is complete: apply again to go on" in err
    assert "Traceback" not in err
    assert accounts(world)["gate@example.org"] == 1
    assert "info@example.org" not in (world / "new" / "virtual").read_text()
    assert "stopped" in run("history", spec).out
    goes_on(run, spec)
    every_account_once(world)


def test_ctrl_c_twice_stops_at_once(halfway, run, world, spec):
    child, go = halfway
    made = accounts(world)
    assert len(made) == FIRST + 1
    child.send_signal(signal.SIGINT)
    while not child.stderr.readline().startswith("stopping"):
        pass
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    assert "stopped at once; what was begun is in the journal, and apply goes on from there" in err
    assert "Traceback" not in err
    assert accounts(world) == made
    go.touch()
    goes_on(run, spec)
    every_account_once(world)


def test_kill_nine_in_the_middle_of_a_write_loses_nothing(halfway, run, world, spec):
    child, go = halfway
    made = accounts(world)
    child.kill()
    child.communicate(timeout=PATIENCE)
    assert accounts(world) == made
    assert not [path for path in world.rglob("*") if path.name.endswith((".new", "-journal"))]
    go.touch()
    goes_on(run, spec)
    every_account_once(world)
    assert run("rollback", spec, "--all", "--yes").code == 0
    assert list(accounts(world)) == ["carla@other.example"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_kill_nine_after_any_step_loses_nothing(start, run, world, spec, after):
    child = start("apply", spec, "--yes")
    for _ in range(after):
        child.stderr.readline()
    child.kill()
    child.communicate(timeout=PATIENCE)
    goes_on(run, spec)
    assert set(accounts(world).values()) == {1}


def test_a_second_run_at_once_is_kept_out(halfway, run, world, spec):
    child, go = halfway
    with nothing_changes(world, JOURNAL):
        second = run("apply", spec, "--yes")
        assert second.code == 1
        assert f"example.org is being changed by another run: process {child.pid} on " in second.err
        assert "wait until it has ended, or stop it; it lives on this machine" in second.err
        assert run("rollback", spec, "--run", 1, "--yes").code == 1
        assert run("plan", spec).code == 2  # reading is allowed
        assert run("status", spec).code == 0
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err
    every_account_once(world)
