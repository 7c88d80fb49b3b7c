from datetime import UTC, datetime, timedelta

from reconciler.model.rrset import RRset
from reconciler.model.sighting import History, Sighting

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAME = "example.org. MX"
HIGH = RRset.of("example.org", "MX", 86400, "10 mail.old.example.")
LOW = RRset.of("example.org", "MX", 300, "10 mail.old.example.")
NEW = RRset.of("example.org", "MX", 300, "10 mail.new.example.")


def seen(server: str, value: RRset | None, seconds: int, *, gone: bool = False) -> Sighting:
    return Sighting(server, NAME, value, START + timedelta(seconds=seconds), gone)


def test_caches_keep_a_value_for_its_ttl_after_the_last_server_gave_it_up() -> None:
    history = History.of([seen("a", HIGH, 0), seen("b", HIGH, 0), seen("a", LOW, 10), seen("b", LOW, 500)])
    assert history.clear_at() == START + timedelta(seconds=500 + 86400)


def test_where_nothing_was_replaced_nothing_is_waited_for() -> None:
    assert History.of([seen("a", HIGH, 0)]).clear_at() is None


def test_a_server_with_another_value_lags() -> None:
    history = History.of([seen("a", LOW, 10), seen("b", HIGH, 0)])
    assert history.lagging(LOW) == ("b",)
    assert history.since(NEW.rdata) is None


def test_since_counts_from_the_last_server_and_does_not_mind_the_ttl() -> None:
    history = History.of([seen("a", HIGH, 0), seen("a", LOW, 10), seen("b", HIGH, 70)])
    assert history.since(HIGH.rdata) == START + timedelta(seconds=70)


def test_a_server_that_left_the_zone_lags_no_more_but_caches_may_hold_what_it_gave_out() -> None:
    history = History.of([seen("a", LOW, 0), seen("b", HIGH, 0), seen("b", None, 50, gone=True)])
    assert history.serving == ("a",)
    assert history.lagging(LOW) == ()
    assert history.since(LOW.rdata) == START
    assert history.clear_at() == START + timedelta(seconds=50 + 86400)


def test_a_server_that_comes_back_counts_again() -> None:
    history = History.of([seen("b", HIGH, 0), seen("b", None, 50, gone=True), seen("b", LOW, 90)])
    assert history.serving == ("b",)
    assert history.lagging(LOW) == ()
