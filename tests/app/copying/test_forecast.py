from datetime import UTC, datetime, timedelta

import pytest

from reconciler.app.copying.forecast import Forecast, Load
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.mailcopy.job import Progress, State
from tests.support.clock import MONDAY_MORNING, FakeClock

GB = 1_000_000_000


def through(account: str, state: State = State.DONE) -> MailboxThrough:
    return MailboxThrough(Outcome(account, state.value), 1, 1)


def told(account: str, octets: int, of: int = 0) -> Progress:
    return Progress(account, State.COPYING, octets=octets, of_octets=max(of, octets))


def forecast(cutover: datetime | None = None, **loads: Load) -> tuple[Forecast, FakeClock]:
    clock = FakeClock()
    return Forecast(clock, loads, cutover), clock


def test_the_rate_so_far_says_when_all_is_through() -> None:
    seen, clock = forecast(ann=Load(10 * GB), bob=Load(6 * GB))
    seen.tell(told("ann", 0, 1 * GB))
    assert seen.words() == ""
    clock.advance(100)
    seen.tell(told("ann", 2 * GB))
    assert seen.words() == "all of it in about 11 min"
    assert seen.data() == {
        "octets": 2 * GB,
        "of_octets": 16 * GB,
        "octets_a_second": 20_000_000,
        "done_at": "2026-03-02T08:13:20Z",
        "cutover": None,
        "seconds_before_cutover": None,
        "slowest": None,
    }


def test_the_first_seconds_say_nothing() -> None:
    seen, clock = forecast(ann=Load(10 * GB))
    seen.tell(told("ann", 0, GB))
    clock.advance(2)
    seen.tell(told("ann", GB))
    assert seen.words() == ""


def test_what_a_mailbox_turns_out_to_hold_counts_more_than_what_was_measured() -> None:
    seen, clock = forecast(ann=Load(GB))
    seen.tell(told("ann", 0, 3 * GB))
    clock.advance(100)
    seen.tell(told("ann", GB, 3 * GB))
    outlook = seen.outlook()
    assert outlook is not None
    assert outlook.of == 3 * GB


def test_a_mailbox_that_is_through_has_nothing_left() -> None:
    seen, clock = forecast(ann=Load(10 * GB), bob=Load(GB))
    seen.tell(told("ann", 0, GB))
    clock.advance(100)
    seen.tell(told("ann", GB))
    seen.tell(through("ann"))
    assert seen.words() == "all of it in about 1 min"
    seen.tell(through("bob"))
    assert seen.words() == ""


@pytest.mark.parametrize(
    ("cutover", "said"),
    [
        (timedelta(days=3), "all of it in about 11 min, 2 d 23 h before the planned cutover"),
        (timedelta(0), "all of it in about 11 min, 11 min AFTER the planned cutover of 2026-03-02 08:01 UTC"),
    ],
)
def test_the_end_is_set_against_the_planned_cutover(cutover: timedelta, said: str) -> None:
    seen, clock = forecast(MONDAY_MORNING + cutover + timedelta(seconds=100), ann=Load(16 * GB))
    seen.tell(told("ann", 0, GB))
    clock.advance(100)
    seen.tell(told("ann", 2 * GB))
    assert seen.words() == said


def test_a_daily_limit_holds_up_longer_than_any_rate() -> None:
    seen, clock = forecast(
        datetime(2026, 3, 4, tzinfo=UTC),
        ann=Load(40 * GB, a_day=5 * GB // 2, today=GB),
        bob=Load(2 * GB, a_day=5 * GB // 2, today=5 * GB // 2),
    )
    assert seen.words() == (
        "all of it in about 15 d 16 h (ann needs until 2026-03-18 00:00 UTC at the provider's 2.5 GB a day), "
        "14 d 0 h AFTER the planned cutover of 2026-03-04 00:00 UTC"
    )
    seen.tell(told("ann", GB))
    clock.advance(10)
    seen.tell(through("ann", State.LIMITED))
    seen.tell(through("bob"))
    assert seen.data()["slowest"] == "ann"
    assert seen.data()["done_at"] == "2026-03-18T00:00:00Z"
    seen.tell(through("ann"))


def test_nothing_is_foretold_where_nothing_is_known() -> None:
    seen, _ = forecast()
    assert (seen.words(), seen.data()) == ("", {})
