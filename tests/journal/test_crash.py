"""The journal after what machines do: kill -9, full disks, processes that write at once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.journal.open import open_journal, read_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

ROOT = Path(__file__).parents[2]

BEGIN = """
import sys, threading
from pathlib import Path
from reconciler.journal.open import open_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

with open_journal(Path(sys.argv[1]), "example.org", {}, FakeClock()) as journal, journal.lock:
    run = journal.open_run(plan_of())
    print("begun", flush=True)
    for batch in range(10**6):
        journal.begin(run, [step(batch * 500 + n, mx("old"), mx("new")) for n in range(500)])
        print(batch, flush=True)
"""

DIE_BEFORE_COMMIT = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from reconciler.journal.open import open_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

@event.listens_for(Engine, "after_cursor_execute")
def die(connection, cursor, statement, parameters, context, executemany):
    if executemany and "reconciler_steps" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

with open_journal(Path(sys.argv[1]), "example.org", {}, FakeClock()) as journal, journal.lock:
    run = journal.open_run(plan_of())
    journal.begin(run, [step(n, mx("old"), mx("new")) for n in range(20000)])
"""

FULL = """
import resource, sys
from pathlib import Path
from reconciler.errors import JournalError
from reconciler.journal.open import open_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

place = Path(sys.argv[1])
with open_journal(place, "example.org", {}, FakeClock()) as journal, journal.lock:
    run = journal.open_run(plan_of())
    journal.begin(run, [step(0, mx("old"), mx("new"))])
    room = place.stat().st_size + 8192
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        journal.begin(run, [step(n, mx("old"), mx("new")) for n in range(1, 500)])
    except JournalError as error:
        print(error)
"""


@pytest.mark.parametrize("batches", [0, 1, 4])
def test_a_run_killed_in_the_middle_of_begin_leaves_whole_batches_and_a_lock_that_is_taken_over(
    place: Path, clock: FakeClock, batches: int
) -> None:
    child = subprocess.Popen([sys.executable, "-c", BEGIN, str(place)], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    assert child.stdout
    for _ in range(batches + 1):
        child.stdout.readline()
    child.kill()
    rest, _ = child.communicate()
    reported = batches + len(rest.splitlines())
    with read_journal(place, "example.org", {}, clock) as past:
        assert past.runs()[0].outcome == "interrupted"
        kept = len(past.steps_of(1))
    assert kept in {reported * 500, (reported + 1) * 500}
    with open_journal(place, "example.org", {}, clock) as journal, journal.lock:
        steps = [step(1, mx("new"), mx("old"))]
        run = journal.open_run(plan_of(*steps))
        assert run == 2
        journal.begin(run, steps)
        assert [r.outcome for r in journal.past.runs()] == ["interrupted", "running"]


def test_a_commit_cut_short_with_half_of_it_in_the_file_is_undone_by_the_next_reader(
    place: Path, clock: FakeClock
) -> None:
    done = subprocess.run([sys.executable, "-c", DIE_BEFORE_COMMIT, str(place)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert place.stat().st_size > 2**20
    assert place.with_name(f"{place.name}-journal").exists()
    with read_journal(place, "example.org", {}, clock) as past:
        assert past.runs()[0].outcome == "interrupted"
        assert past.steps_of(1) == ()
    assert place.stat().st_size < 2**20
    assert [file.name for file in place.parent.iterdir()] == [place.name]


def test_a_full_disk_refuses_the_whole_batch_and_says_so(place: Path, clock: FakeClock) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(place)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "cannot be written" in done.stdout
    assert "make room on that disk" in done.stdout
    with read_journal(place, "example.org", {}, clock) as past:
        assert [s.number for s in past.steps_of(1)] == [0]
