import json
import os
import signal
import time

import pytest

from tests.support.files_world import write_spec

PATIENCE = 60  # seconds until a test gives up on a process


@pytest.fixture
def slow(spec, run):
    """The spec at overlap, whose zone is reloaded by a program that waits until the file ``go`` is there."""
    assert run("apply", spec, "--yes").code == 0
    begun, go = spec.parent / "begun", spec.parent / "go"
    reload = ["/bin/sh", "-c", 'touch "$0"; while [ ! -e "$1" ]; do sleep 0.05; done', str(begun), str(go)]
    write_spec(
        spec, stage="overlap", dns={"backend": "zonefile", "options": {"file": "example.org.zone", "reload": reload}}
    )
    return begun, go


def wait_for(path, child):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def state(spec, run, number):
    return json.loads(run("history", spec, "--run", number, "--json").out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_write_that_is_under_way_is_finished_before_the_run_stops(process, run, spec, slow, number):
    begun, go = slow
    child = process("apply", spec, "--yes")
    wait_for(begun, child)
    child.send_signal(number)
    line = child.stderr.readline()
    assert line.startswith("stopping: the write that is under way is finished first")
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 1
    assert "error: stopped as asked" in err
    assert "Traceback" not in err
    stopped = state(spec, run, 2)
    assert stopped["outcome"] == "stopped"
    assert {step["state"] for step in stopped["steps"]} == {"done"}
    assert all(step["address"].startswith("dns/") for step in stopped["steps"])
    assert run("apply", spec, "--yes").code == 0  # only what was left: the Sieve script
    assert [step["address"] for step in state(spec, run, 3)["steps"]] == ["new/sieve/ann@example.org"]


def test_a_second_ctrl_c_stops_at_once_and_the_next_apply_goes_on(process, run, spec, slow):
    begun, go = slow
    child = process("apply", spec, "--yes")
    wait_for(begun, child)
    child.send_signal(signal.SIGINT)
    child.stderr.readline()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    assert "stopped at once; what was begun is in the journal" in err
    assert "Traceback" not in err
    assert state(spec, run, 2)["outcome"] == "interrupted"
    go.touch()
    assert run("apply", spec, "--yes").code == 0
    assert run("plan", spec).code == 0


def test_ctrl_c_at_a_terminal_does_not_reach_the_program_that_finishes_a_write(process, run, spec, slow):
    begun, go = slow
    child = process("apply", spec, "--yes", start_new_session=True)
    wait_for(begun, child)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to everything that belongs to the command
    assert child.stderr.readline().startswith("stopping: ")
    go.touch()
    _, err = child.communicate(timeout=PATIENCE)
    assert "error: stopped as asked" in err
    assert state(spec, run, 2)["outcome"] == "stopped"
    assert run("apply", spec, "--yes").code == 0


def test_a_name_server_that_a_killed_run_has_not_told_is_told_by_the_next_one(process, run, spec, slow):
    begun, go = slow
    child = process("apply", spec, "--yes")
    wait_for(begun, child)
    child.kill()
    child.communicate(timeout=PATIENCE)
    begun.unlink()
    go.touch()
    assert run("plan", spec).code == 2  # the Sieve script; the zone file stands
    assert not begun.exists()  # a plan tells nobody anything
    assert run("apply", spec, "--yes").code == 0
    assert begun.exists()
    begun.unlink()
    assert run("apply", spec, "--yes").code == 0
    assert not begun.exists()


def test_ctrl_c_at_the_question_changes_nothing(process, spec, run):
    terminal, keyboard = os.openpty()
    try:
        child = process("apply", spec, keyboard=keyboard)
        asked = ""
        while "Only 'yes' is accepted: " not in asked:
            letter = child.stderr.read(1)
            assert letter, asked
            asked += letter
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)
    finally:
        os.close(terminal)
        os.close(keyboard)
    assert child.returncode == 130
    assert run("history", spec).out == "example.org: no run yet\n"
    assert (spec.parent / "new" / "passwd").read_text() == ""
