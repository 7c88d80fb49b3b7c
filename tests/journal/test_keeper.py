"""What keeps a lease, first without its thread, then while a step takes longer than a lease."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.engine.apply import apply
from reconciler.errors import JournalError, Locked
from reconciler.journal.database import open_sqlite
from reconciler.journal.journal import DatabaseJournal
from reconciler.journal.keeper import Keeper
from reconciler.journal.lock import Lock
from reconciler.journal.past import Past
from reconciler.journal.tables import locks
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from tests.lab.patience import PATIENCE
from tests.support.clock import FakeClock
from tests.support.move import NO_CHECKS, TYPES, Move
from tests.support.moves import DOMAIN, mx, plan_of, step
from tests.support.specs import spec

LEASE = timedelta(seconds=120)
Elsewhere = Callable[[], AbstractContextManager[None]]


class Away:
    """A renewal that fails as often as it is told to."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)

    def __call__(self) -> None:
        error = self.errors.pop(0)
        if error:
            raise error


def test_a_lease_is_renewed_three_times_before_it_is_over(clock: FakeClock) -> None:
    keeper = Keeper(Away(None), LEASE, clock)
    assert keeper.beat() == LEASE / 3
    assert keeper.lost == ""


def test_a_database_that_is_away_for_a_moment_is_asked_again_soon(clock: FakeClock) -> None:
    keeper = Keeper(Away(JournalError("away"), JournalError("away"), None), LEASE, clock)
    clock.advance(40)
    assert keeper.beat() == LEASE / 12
    clock.advance(10)
    assert keeper.beat() == LEASE / 12
    clock.advance(10)
    assert keeper.beat() == LEASE / 3
    assert keeper.lost == ""


def test_a_database_that_is_away_until_the_lease_is_over_has_lost_the_lock(clock: FakeClock) -> None:
    keeper = Keeper(Away(JournalError("the server is gone")), LEASE, clock)
    clock.advance(120)
    assert keeper.beat() is None
    assert "until its lease was over" in keeper.lost
    assert "the server is gone" in keeper.lost


def test_a_lock_that_another_run_has_is_remembered_as_lost(clock: FakeClock) -> None:
    keeper = Keeper(Away(Locked("another run has it")), LEASE, clock)
    assert keeper.beat() is None
    assert keeper.lost == "another run has it"


class Slow:
    """A zone in which every write takes longer than several leases; ``meanwhile`` is done during it."""

    batch = 1

    def __init__(self, store: Any, meanwhile: Callable[[], None]) -> None:
        self._store, self._meanwhile = store, meanwhile

    def read(self, names: Collection[str] | None = None) -> Iterator[RRset]:
        yield from self._store.read(names)

    def write(self, changes: Sequence[Change], /) -> None:
        self._meanwhile()
        self._store.write(changes)


class Scene:
    """A run on one machine and a second one, which comes in the middle of its step; leases are a blink."""

    def __init__(self, place: Path, clock: FakeClock, lease: timedelta = timedelta(milliseconds=60)) -> None:
        self.database = open_sqlite(place, create=True)
        self.database.prepare()
        self.clock, self.lease = clock, lease
        past = Past(self.database, DOMAIN, TYPES, clock)
        self.lock = Lock(self.database, DOMAIN, clock, lease)
        self.journal = DatabaseJournal(self.database, DOMAIN, past, self.lock, clock)
        self.second = Lock(self.database, DOMAIN, clock, lease)
        self.move = Move(spec(), mx("old"), checks=NO_CHECKS)

    def close(self) -> None:
        self.lock.close()
        self.second.close()
        self.database.close()

    def expires(self) -> datetime:
        with self.database.reading() as connection:
            found: datetime = connection.execute(select(locks.c.expires)).scalar_one()
            return found

    def until_renewed(self) -> None:
        """The clock stands until the thread has come, so that it does not matter how busy the machine is."""
        deadline = time.monotonic() + PATIENCE
        while self.expires() < self.clock.now() + self.lease:
            assert time.monotonic() < deadline, "nobody renews the lease"

    def carry_out(self, meanwhile: Callable[[], None], stop: Callable[[], bool] = lambda: False) -> None:
        zone = Slow(self.move.stores[Place.DNS, RRset.kind], meanwhile)
        stores = {**self.move.stores, (Place.DNS, RRset.kind): zone}
        hands = replace(self.move.hands(stop), stores=stores, journal=self.journal)
        apply(plan_of(step(1, mx("old"), mx("new")), step(2, mx("new"), mx("other"))), hands)


@pytest.fixture
def scene(place: Path, clock: FakeClock) -> Iterator[Scene]:
    with closing(Scene(place, clock)) as scene:
        yield scene


def test_a_step_that_takes_several_leases_keeps_the_lock(scene: Scene, elsewhere: Elsewhere) -> None:
    with elsewhere():
        scene.lock.acquire()

    def meanwhile() -> None:
        began = scene.clock.now()
        while scene.clock.now() < began + 3 * scene.lease:
            scene.clock.advance(scene.lease / 2)
            scene.until_renewed()
        with pytest.raises(Locked):
            scene.second.acquire()

    scene.carry_out(meanwhile)
    (run,) = scene.journal.past.runs()
    assert (run.outcome, run.done) == ("done", 2)


def steal(scene: Scene) -> None:
    """Another run has it: as after a pause of the whole machine, which renews nothing."""
    with scene.database.writing() as connection:
        connection.execute(locks.update().values(token="another", processes="", pid=1))


def test_a_lock_that_is_lost_during_a_step_ends_the_run_before_the_next_write(scene: Scene) -> None:
    scene.lock.acquire()
    with pytest.raises(Locked, match="lost its lock"):
        scene.carry_out(lambda: steal(scene))
    (run,) = scene.journal.past.runs()
    assert (run.outcome, run.done, run.open) == ("failed", 1, 0)


def test_a_lock_that_is_lost_in_the_last_step_does_not_let_the_run_end_as_done(scene: Scene) -> None:
    scene.lock.acquire()
    writes: list[int] = []

    def meanwhile() -> None:
        writes.append(1)
        if len(writes) == 2:
            steal(scene)

    with pytest.raises(Locked, match="lost its lock"):
        scene.carry_out(meanwhile)
    (run,) = scene.journal.past.runs()
    assert (run.outcome, run.done) == ("failed", 2)


def test_whoever_works_long_in_one_step_learns_at_once_that_the_lock_was_lost(scene: Scene) -> None:
    scene.lock.acquire()
    steal(scene)
    deadline = time.monotonic() + PATIENCE

    def works_long() -> None:
        while time.monotonic() < deadline:
            scene.lock.require()

    with pytest.raises(Locked, match="lost its lock"):
        works_long()


def test_releasing_ends_the_thread_at_once(scene: Scene) -> None:
    slow = Lock(scene.database, "example.com", scene.clock, timedelta(days=1))
    with slow:
        (thread,) = threads()
        assert thread.is_alive()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def threads() -> list[Any]:
    return [each for each in threading.enumerate() if each.name == "keeps a lock"]
