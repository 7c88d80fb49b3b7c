"""Leases on mailboxes: kept by a thread, and lost as those of moves are; what else turns do is in conformance."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.journal.database import Database, open_sqlite
from reconciler.journal.tables import locks
from reconciler.journal.turns import DatabaseTurns
from tests.lab.patience import PATIENCE
from tests.support.clock import FakeClock

ANN, BEN = "ann@example.org", "ben@example.org"
LEASE = timedelta(milliseconds=60)
Elsewhere = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def database(place: Path) -> Iterator[Database]:
    with closing(open_sqlite(place, create=True)) as database:
        database.prepare()
        yield database


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "the thread does nothing"


def test_a_mailbox_and_a_wish_are_kept_as_long_as_they_are_needed(
    database: Database, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    with closing(DatabaseTurns(database, clock, LEASE)) as far, closing(DatabaseTurns(database, clock, LEASE)) as near:
        with elsewhere():
            far.take([ANN])
        near.wish([ANN], "it is needed")

        def renewed() -> bool:
            with database.reading() as connection:
                return bool(connection.execute(select(locks.c.expires)).scalar_one() == clock.now() + LEASE)

        for _ in range(6):
            clock.advance(LEASE / 2)
            until(renewed)
        assert list(near.take([ANN])) == [ANN]


def test_a_lease_that_ran_out_is_the_next_ones_and_its_holder_gives_up(
    database: Database, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    with closing(DatabaseTurns(database, clock, LEASE)) as far, closing(DatabaseTurns(database, clock)) as near:
        with elsewhere():
            far.take([ANN, BEN])
        with database.writing() as connection:
            connection.execute(locks.delete().where(locks.c.domain == ANN))
        assert near.take([ANN]) == {}
        until(lambda: far.wanted(ANN) != "")
        assert far.wanted(ANN).startswith("the lease on the mailbox ran out")
        assert far.wanted(BEN) == ""
        far.give_back([ANN])
        assert list(far.take([ANN])) == [ANN]
