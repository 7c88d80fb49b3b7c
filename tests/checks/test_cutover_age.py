from datetime import timedelta

from reconciler.checks.cutover_age import CHECK
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait, Warn
from tests.support.changes import NEW_MX, gated, mx
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

MX = "example.org. MX"
TURNED = seen(("ns1", 0, mx()), ("ns2", 0, mx()), ("ns1", 60, mx(NEW_MX)), ("ns2", 3600, mx(NEW_MX)))


def judge(of=None, **known):
    return CHECK.judge(of or spec(), facts(Stage.DECOMMISSION, state(mx(NEW_MX)), **known))


def test_seven_days_count_from_the_last_name_server() -> None:
    until = MONDAY_MORNING + timedelta(days=7, hours=1)
    early = judge(histories={MX: TURNED}, now=until - timedelta(seconds=1))
    assert isinstance(early, Wait)
    assert early.until == until
    assert "since 2026-03-02 09:00 UTC; the old one is kept for 7 days" in early.why
    assert isinstance(judge(histories={MX: TURNED}, now=until), Pass)


def test_a_ttl_raised_since_does_not_start_the_days_again() -> None:
    history = seen(("ns1", 0, mx()), ("ns1", 60, mx(NEW_MX)), ("ns1", 600, mx(NEW_MX, ttl=86400)))
    answer = judge(histories={MX: history})
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(days=7, seconds=60)


def test_the_spec_says_how_many_days() -> None:
    answer = judge(of=spec(waits={"decommission": "30d"}), histories={MX: TURNED})
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(days=30, hours=1)


def test_a_name_server_with_the_old_mx_leaves_the_time_open() -> None:
    assert judge(histories={MX: seen(("ns1", 60, mx(NEW_MX)), ("ns2", 0, mx()))}) == Wait(
        None, "not every name server was seen with the new example.org. MX; from then on it takes 7 days"
    )
    assert isinstance(judge(), Wait)


def test_a_move_that_no_record_shows_is_left_to_a_person() -> None:
    answer = judge(of=spec(new={"mx": ["10 mx.old.example"]}))
    assert isinstance(answer, Warn)
    assert "nobody can see when it was" in answer.why


def test_it_holds_back_what_takes_the_old_server_away() -> None:
    assert gated(CHECK) == {"old mailbox removed", "old alias removed", "key record removed"}
