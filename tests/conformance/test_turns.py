"""Both ways to keep the locks on mailboxes: in the ledger of one machine, and in a database that machines share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from reconciler.journal.database import open_sqlite
from reconciler.journal.turns import DatabaseTurns
from reconciler.mailcopy.ledger.turns import LedgerTurns
from reconciler.mailcopy.turns import Turns
from tests.support.clock import FakeClock

ANN, BEN, CAT = "ann@example.org", "ben@example.org", "cat@example.org"
Opening = Callable[[], Turns]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["ledger", "database"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Opening]:
    """Opens them as one more run would."""
    with ExitStack() as stack:
        if request.param == "ledger":
            place = tmp_path / "mail.ledger"
            place.touch()
            yield lambda: stack.enter_context(closing(LedgerTurns(place)))
        else:
            database = open_sqlite(tmp_path / "shared.journal", create=True)
            stack.callback(database.close)
            database.prepare()
            yield lambda: stack.enter_context(closing(DatabaseTurns(database, clock)))


def test_a_mailbox_is_one_runs_turn_and_the_other_is_told_whose(opened: Opening) -> None:
    first, second = opened(), opened()
    assert first.take([ANN, BEN]) == {}
    others = second.take([BEN, CAT])
    assert list(others) == [BEN]
    assert "process " in others[BEN]
    assert " works on it" in others[BEN]
    assert list(first.take([CAT])) == [CAT]


def test_what_was_given_back_is_the_next_ones_turn(opened: Opening) -> None:
    first, second = opened(), opened()
    first.take([ANN])
    first.give_back([ANN])
    assert second.take([ANN]) == {}


def test_what_a_run_has_twice_it_gives_back_twice(opened: Opening) -> None:
    first, second = opened(), opened()
    assert first.take([ANN, BEN]) == first.take([ANN]) == {}
    first.give_back([ANN])
    assert list(second.take([ANN])) == [ANN]
    first.give_back([ANN])
    assert second.take([ANN]) == {}
    assert list(second.take([BEN])) == [BEN]


def test_everything_is_given_back_at_the_end(opened: Opening) -> None:
    first, second = opened(), opened()
    first.take([ANN])
    first.wish([BEN], "the plan needs it")
    first.close()  # type: ignore[attr-defined]  # of both kinds, and no part of the port
    assert second.wanted(BEN) == ""
    assert second.take([ANN, BEN]) == {}


def test_the_holder_learns_why_its_mailbox_is_wanted_and_of_no_other(opened: Opening, clock: FakeClock) -> None:
    holder, waiting = opened(), opened()
    holder.take([ANN, BEN])
    assert holder.wanted(ANN) == ""
    clock.advance(1)
    waiting.wish([ANN], "apply of example.org needs the mailbox")
    assert holder.wanted(ANN) == "apply of example.org needs the mailbox"
    assert holder.wanted(BEN) == waiting.wanted(ANN) == ""


def test_whoever_waits_for_a_mailbox_gets_it_before_everybody_else(opened: Opening) -> None:
    holder, waiting, third = opened(), opened(), opened()
    holder.take([ANN])
    waiting.wish([ANN], "the plan needs it")
    holder.give_back([ANN])
    assert third.take([ANN]) == holder.take([ANN]) == {ANN: "the plan needs it"}
    assert waiting.take([ANN]) == {}


def test_what_was_wished_for_and_taken_is_wanted_no_more(opened: Opening, clock: FakeClock) -> None:
    first, second = opened(), opened()
    first.wish([ANN], "the plan needs it")
    first.wish([ANN], "the plan needs it")
    first.take([ANN])
    first.give_back([ANN])
    clock.advance(1)
    assert second.wanted(ANN) == ""
    assert second.take([ANN]) == {}


def test_thousands_of_mailboxes_are_taken_at_once(opened: Opening) -> None:
    first, second = opened(), opened()
    many = [f"user{number}@example.org" for number in range(1001)]
    second.take(many[500:501])
    assert list(first.take(many)) == many[500:501]
    first.give_back([each for each in many if each != many[500]])
    assert second.take(many) == {}
