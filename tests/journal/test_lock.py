import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import Locked
from reconciler.journal.journal import DatabaseJournal
from reconciler.journal.open import open_journal
from reconciler.transports.process import machine
from tests.support.children import killed, said, tell
from tests.support.clock import FakeClock

Opening = Callable[..., DatabaseJournal]
Elsewhere = Callable[[], AbstractContextManager[None]]
ROOT = Path(__file__).parents[2]

TAKE = """
import sys
from pathlib import Path
from reconciler.errors import Locked
from reconciler.journal.open import open_journal
from tests.support.clock import FakeClock

with open_journal(Path(sys.argv[1]), "example.org", {}, FakeClock()) as journal:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        journal.lock.acquire()
    except Locked:
        print("refused", flush=True)
    else:
        print("held", flush=True)
        sys.stdin.readline()
"""


def process(place: Path) -> subprocess.Popen[str]:
    """Another process that takes the lock when it is told to, and never gives it back."""
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(place)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_a_second_run_is_refused_and_told_who_since_when_and_until_when(opened: Opening) -> None:
    with opened().lock, pytest.raises(Locked) as caught:
        opened().lock.acquire()
    message = str(caught.value)
    assert message.startswith(f"example.org is being changed by another run: process {os.getpid()} on ")
    assert "since 2026-03-02 08:00:00 UTC" in message
    assert "lives on this machine, so its lock does not expire before it ends" in message


def test_of_a_run_elsewhere_is_told_when_its_lock_expires(opened: Opening, elsewhere: Elsewhere) -> None:
    with elsewhere():
        opened().lock.acquire()
    with pytest.raises(Locked, match="expires at 2026-03-02 08:02:00 UTC unless it goes on"):
        opened().lock.acquire()


def test_a_lock_that_was_given_back_can_be_taken(opened: Opening) -> None:
    first, second = opened().lock, opened().lock
    with first:
        pass
    with second, pytest.raises(Locked):
        first.acquire()


def test_a_lock_that_nobody_gave_back_is_given_back_with_the_journal(place: Path, clock: FakeClock) -> None:
    with open_journal(place, "example.org", {}, clock) as journal:
        journal.lock.acquire()
    with open_journal(place, "example.org", {}, clock) as journal:
        journal.lock.acquire()


def test_taking_it_twice_is_refused_and_keeps_it(opened: Opening) -> None:
    lock = opened().lock
    with lock:
        with pytest.raises(Locked):
            lock.acquire()
        lock.hold()


def test_moves_of_other_domains_have_their_own_lock(opened: Opening) -> None:
    with opened("example.org").lock, opened("example.com").lock, pytest.raises(Locked):
        opened("example.com").lock.acquire()


def test_a_lease_that_is_renewed_does_not_expire(opened: Opening, clock: FakeClock, elsewhere: Elsewhere) -> None:
    mine, other = opened().lock, opened().lock
    with elsewhere():
        mine.acquire()
    for _ in range(4):
        clock.advance(100)
        mine.hold()
    with pytest.raises(Locked):
        other.acquire()


def test_an_expired_lease_is_taken_over_and_the_sleeper_learns_of_it(
    opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    sleeper, other = opened().lock, opened().lock
    with elsewhere():
        sleeper.acquire()
    clock.advance(120)
    other.acquire()
    with pytest.raises(Locked, match=r"lost its lock, so it writes nothing more: .* since 2026-03-02 08:02:00 UTC"):
        sleeper.hold()
    sleeper.release()
    other.hold()


def test_a_sleeper_that_nobody_replaced_goes_on(opened: Opening, clock: FakeClock, elsewhere: Elsewhere) -> None:
    lock = opened().lock
    with elsewhere():
        lock.acquire()
    clock.advance(timedelta(days=1))
    lock.hold()
    with pytest.raises(Locked):
        opened().lock.acquire()


def test_a_clock_that_is_ahead_takes_no_lock_from_a_process_that_lives_here(opened: Opening, clock: FakeClock) -> None:
    with opened().lock as lock:
        with pytest.raises(Locked):
            opened(at=FakeClock(clock.now() + timedelta(days=365))).lock.acquire()
        lock.hold()


def test_what_was_never_taken_is_not_held(opened: Opening) -> None:
    with pytest.raises(Locked, match="does not hold the lock"):
        opened().lock.hold()


def test_what_was_given_back_is_not_held(opened: Opening) -> None:
    lock = opened().lock
    with lock:
        lock.hold()
    with pytest.raises(Locked, match="does not hold the lock"):
        lock.hold()


def test_a_look_at_a_fresh_lease_costs_no_write(opened: Opening, clock: FakeClock, place: Path) -> None:
    with opened().lock as lock:
        before = place.read_bytes()
        clock.advance(60)
        lock.hold()
        assert place.read_bytes() == before
        clock.advance(1)
        lock.hold()
        assert place.read_bytes() != before


def test_a_lock_that_was_taken_away_is_missed_at_once_however_fresh_it_was(opened: Opening, place: Path) -> None:
    with opened().lock as lock:
        lock.hold()
        with sqlite3.connect(place) as connection:
            connection.execute("UPDATE reconciler_locks SET token = 'another'")
        connection.close()
        with pytest.raises(Locked, match="lost its lock"):
            lock.hold()


def test_the_lock_is_given_back_when_the_run_fails(opened: Opening) -> None:
    with pytest.raises(ZeroDivisionError), opened().lock:
        _ = 1 / 0
    opened().lock.acquire()


def test_a_run_that_was_killed_is_replaced_at_once(place: Path, clock: FakeClock) -> None:
    child = process(place)
    assert said(child) == "ready"
    tell(child)
    assert said(child) == "held"
    with open_journal(place, "example.org", {}, clock) as journal:
        with pytest.raises(Locked, match=f"process {child.pid} on "):
            journal.lock.acquire()
        killed(child)
        journal.lock.acquire()
        journal.lock.hold()


def test_of_a_process_that_is_stopped_the_lock_is_not_taken_however_late_it_is(place: Path, clock: FakeClock) -> None:
    child = process(place)
    assert said(child) == "ready"
    tell(child)
    assert said(child) == "held"
    child.send_signal(signal.SIGSTOP)
    try:
        clock.advance(timedelta(days=3))
        with (
            open_journal(place, "example.org", {}, clock) as journal,
            pytest.raises(Locked, match=f"process {child.pid} on .* lives on this machine"),
        ):
            journal.lock.acquire()
    finally:
        killed(child)


def test_another_process_that_has_got_the_number_of_an_ended_one_holds_nothing(place: Path, clock: FakeClock) -> None:
    with open_journal(place, "example.org", {}, clock) as journal:
        journal.lock.acquire()
        with sqlite3.connect(place) as connection:
            connection.execute("UPDATE reconciler_locks SET processes = processes || '0'")  # it began at another time
        connection.close()
        with open_journal(place, "example.org", {}, clock) as other:
            other.lock.acquire()


def test_a_lock_of_the_last_release_says_no_time_of_beginning_and_is_respected(place: Path, clock: FakeClock) -> None:
    child = process(place)
    assert said(child) == "ready"
    with open_journal(place, "example.org", {}, clock) as journal:
        journal.lock.acquire()
        with sqlite3.connect(place) as connection:
            connection.execute("UPDATE reconciler_locks SET processes = ?, pid = ?", (machine(), child.pid))
        connection.close()
        clock.advance(timedelta(days=1))
        with open_journal(place, "example.org", {}, clock) as other:
            with pytest.raises(Locked):
                other.lock.acquire()
            killed(child)
            other.lock.acquire()


def test_a_dead_process_of_another_machine_is_waited_for(place: Path, clock: FakeClock, elsewhere: Elsewhere) -> None:
    child = process(place)
    assert said(child) == "ready"
    tell(child)
    assert said(child) == "held"
    killed(child)
    with open_journal(place, "example.org", {}, clock) as journal, elsewhere():
        with pytest.raises(Locked):
            journal.lock.acquire()
        clock.advance(120)
        journal.lock.acquire()


def test_of_many_processes_that_take_it_at_once_exactly_one_wins(place: Path) -> None:
    children = [process(place) for _ in range(6)]
    try:
        assert [said(child) for child in children] == ["ready"] * 6
        for child in children:
            tell(child)
        assert sorted(said(child) for child in children) == ["held"] + ["refused"] * 5
    finally:
        for child in children:
            killed(child)


def test_of_many_processes_that_replace_a_killed_run_exactly_one_wins(place: Path) -> None:
    dead = process(place)
    assert said(dead) == "ready"
    tell(dead)
    assert said(dead) == "held"
    children = [process(place) for _ in range(6)]
    try:
        assert [said(child) for child in children] == ["ready"] * 6
        killed(dead)
        for child in children:
            tell(child)
        assert sorted(said(child) for child in children) == ["held"] + ["refused"] * 5
    finally:
        for child in children:
            killed(child)
