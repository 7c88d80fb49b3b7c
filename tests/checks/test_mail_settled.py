from datetime import timedelta

from reconciler.checks.mail_settled import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from tests.support.changes import ANN, NEW_MX, gated, mx
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

BROUGHT_BACK = Change(None, ReturnedMail(place=Place.OLD, name=ANN))
COMPLETED = Change(None, StoredMail(place=Place.NEW, name=ANN, complete=True))
TURNED_BACK = Change(mx(NEW_MX), mx())
TURNED_AND_BACK = seen(("ns1", 0, mx()), ("ns1", 3600, mx(NEW_MX)), ("ns1", 7200, mx()))


def judge(world, *changes, history=TURNED_AND_BACK, seconds=0.0):
    now = MONDAY_MORNING + timedelta(seconds=seconds)
    known = facts(Stage.OVERLAP, state(world), *changes, histories={"example.org. MX": history}, now=now)
    return CHECK.judge(spec(), known)


def test_as_long_as_the_mx_is_still_to_be_changed_back_mail_is_not_fetched() -> None:
    answer = judge(mx(NEW_MX), TURNED_BACK, BROUGHT_BACK)
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "first example.org. MX is changed back; then it takes 5 min (300 s)" in answer.why


def test_a_cache_that_names_the_new_server_is_waited_for() -> None:
    answer = judge(mx(), BROUGHT_BACK, seconds=7499)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=7500)


def test_once_no_cache_does_one_pass_finds_everything() -> None:
    assert isinstance(judge(mx(), BROUGHT_BACK, seconds=7500), Pass)


def test_after_the_cutover_what_comes_late_is_waited_for() -> None:
    turned = seen(("ns1", 0, mx()), ("ns1", 3600, mx(NEW_MX)))
    answer = judge(mx(NEW_MX), COMPLETED, history=turned, seconds=3899)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=3900)
    assert isinstance(judge(mx(NEW_MX), COMPLETED, history=turned, seconds=3900), Pass)


def test_before_the_cutover_mail_is_copied_at_once() -> None:
    assert isinstance(judge(mx(), COMPLETED, history=seen(("ns1", 0, mx(ttl=86400)), ("ns1", 60, mx()))), Pass)


def test_it_is_only_asked_where_mail_is_brought_back() -> None:
    assert judge(mx(), seconds=7201) == Pass("no mail has to be fetched from a server that was left")


def test_it_holds_back_nothing_but_the_mail() -> None:
    assert gated(CHECK) == set()
    assert CHECK.gates(BROUGHT_BACK)
