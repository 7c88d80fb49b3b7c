from datetime import timedelta

from reconciler.checks.mx_caches_clear import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait
from tests.support.changes import BOTH_SPF, NEW_MX, NEW_SPF, OLD_SPF, forward, gated, mx, remove, txt
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

MX = "example.org. MX"
NARROW = Change(txt(BOTH_SPF), txt(NEW_SPF))
NARROW_BACK = Change(txt(BOTH_SPF), txt(OLD_SPF))
WHOLE_WAY = (("ns1", 0, mx(ttl=86400)), ("ns1", 60, mx()), ("ns1", 90000, mx(NEW_MX)))


def judge(stage, observed, *changes, **known):
    return CHECK.judge(spec(), facts(stage, state(observed, txt(BOTH_SPF)), *changes, **known))


def test_harden_waits_until_the_replaced_mx_has_left_every_cache() -> None:
    until = MONDAY_MORNING + timedelta(seconds=90300)
    known = {MX: seen(*WHOLE_WAY)}
    answer = judge(Stage.HARDEN, mx(NEW_MX), NARROW, histories=known, now=until - timedelta(seconds=1))
    assert isinstance(answer, Wait)
    assert answer.until == until
    assert "ns1 was the last to give up the earlier example.org. MX" in answer.why
    assert isinstance(judge(Stage.HARDEN, mx(NEW_MX), NARROW, histories=known, now=until), Pass)


def test_harden_waits_for_a_cutover_that_is_part_of_the_same_plan() -> None:
    expected = state(mx(NEW_MX), txt(BOTH_SPF))
    known = {MX: seen(*WHOLE_WAY[:1])}
    assert judge(Stage.HARDEN, mx(ttl=86400), NARROW, expected=expected, histories=known) == Wait(
        None, "first example.org. MX is changed; then it takes 5 min (300 s) until caches have forgotten it"
    )


def test_harden_waits_for_every_name_server() -> None:
    known = {MX: seen(*WHOLE_WAY, ("ns2", 0, mx()))}
    answer = judge(Stage.HARDEN, mx(NEW_MX), NARROW, histories=known, now=MONDAY_MORNING + timedelta(days=9))
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "last ns2 with 10 mx.old.example., TTL 300" in answer.why


def test_harden_does_not_begin_where_the_mx_is_still_the_old_one() -> None:
    answer = judge(Stage.HARDEN, mx(), NARROW, histories={MX: seen(*WHOLE_WAY[:2])})
    assert answer == Wait(None, "example.org. MX does not name the new server yet")


def test_an_mx_first_seen_as_the_new_one_waits_its_ttl_from_then() -> None:
    answer = judge(Stage.HARDEN, mx(NEW_MX), NARROW, histories={MX: seen(("ns1", 0, mx(NEW_MX)))})
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=300)


def test_back_at_prepare_it_waits_until_no_cache_holds_the_new_mx() -> None:
    known = {MX: seen(*WHOLE_WAY, ("ns1", 100000, mx()))}
    until = MONDAY_MORNING + timedelta(seconds=100300)
    early = judge(Stage.PREPARE, mx(), NARROW_BACK, histories=known, now=until - timedelta(seconds=1))
    assert isinstance(early, Wait)
    assert early.until == until
    assert isinstance(judge(Stage.PREPARE, mx(), NARROW_BACK, histories=known, now=until), Pass)


def test_a_ttl_that_the_same_plan_puts_back_is_nothing_to_wait_for() -> None:
    known = {MX: seen(*WHOLE_WAY, ("ns1", 100000, mx()))}
    expected = state(mx(ttl=86400), txt(BOTH_SPF))
    late = MONDAY_MORNING + timedelta(days=9)
    answer = judge(Stage.PREPARE, mx(), NARROW_BACK, expected=expected, histories=known, now=late)
    assert isinstance(answer, Pass)


def test_back_at_prepare_without_a_cutover_nothing_is_waited_for() -> None:
    known = {MX: seen(*WHOLE_WAY[:2])}
    assert isinstance(judge(Stage.PREPARE, mx(), NARROW_BACK, histories=known), Pass)


def test_a_forward_stays_until_then_too() -> None:
    known = {MX: seen(*WHOLE_WAY, ("ns1", 100000, mx()))}
    answer = judge(Stage.PREPARE, mx(), remove(forward("ann@old.example")), histories=known)
    assert isinstance(answer, Wait)


def test_where_nothing_is_taken_away_nothing_is_waited_for() -> None:
    assert judge(Stage.HARDEN, mx(NEW_MX)) == Pass("nothing is taken from either server here")


def test_it_holds_back_what_the_other_server_needs() -> None:
    assert gated(CHECK) == {
        "SPF widened",
        "DMARC tightened",
        "MX TTL raised",
        "key record removed",
        "forward removed",
        "forward ends in a script that stays",
        "alias removed",
        "catch-all removed",
    }
