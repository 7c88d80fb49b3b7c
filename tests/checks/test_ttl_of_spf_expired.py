from datetime import timedelta

from reconciler.checks.ttl_of_spf_expired import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait
from tests.support.changes import BOTH_SPF, NEW_MX, OLD_SPF, TURNS, gated, mx, txt
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

TXT = "example.org. TXT"
TURN = Change(mx(), mx(NEW_MX))


def judge(*changes, text=BOTH_SPF, ttl=300, **known):
    return CHECK.judge(spec(), facts(Stage.CUTOVER, state(mx(), txt(text, ttl=ttl)), *changes, **known))


def test_it_waits_until_no_cache_holds_the_record_without_the_new_server() -> None:
    known = {TXT: seen(("ns1", 0, txt(OLD_SPF, ttl=3600)), ("ns1", 60, txt(BOTH_SPF)))}
    until = MONDAY_MORNING + timedelta(seconds=3660)
    early = judge(TURN, histories=known, now=until - timedelta(seconds=1))
    assert isinstance(early, Wait)
    assert early.until == until
    assert "the earlier example.org. TXT" in early.why
    assert isinstance(judge(TURN, histories=known, now=until), Pass)


def test_a_record_that_this_plan_widens_has_no_known_time_yet() -> None:
    assert judge(TURN, text=OLD_SPF, ttl=3600, expected=state(mx(), txt(BOTH_SPF))) == Wait(
        None, "first SPF names ip4:198.51.100.1; then it takes 1 h (3600 s) until caches have forgotten the old one"
    )


def test_a_change_of_other_texts_at_the_name_is_not_waited_for() -> None:
    known = {TXT: seen(("ns1", 0, txt(BOTH_SPF, ttl=86400)), ("ns1", 60, txt(BOTH_SPF)))}
    assert isinstance(judge(TURN, histories=known), Pass)


def test_a_domain_without_spf_before_has_nothing_to_forget() -> None:
    known = {TXT: seen(("ns1", 0, txt("site=1", ttl=86400)), ("ns1", 60, txt(BOTH_SPF)))}
    assert isinstance(judge(TURN, histories=known), Pass)


def test_without_a_cutover_it_passes() -> None:
    assert judge(text=OLD_SPF) == Pass("no mail is turned to a new sender here")


def test_it_holds_back_the_turns_and_nothing_else() -> None:
    assert gated(CHECK) == TURNS
