from datetime import timedelta

from reconciler.model.plan import Finding
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict, Wait
from tests.support.clock import MONDAY_MORNING
from tests.support.plans import MX_LONG, MX_SHORT, TOMORROW, WAIT, plan, step

EARLIER = MONDAY_MORNING + timedelta(hours=1)
SOONER = Finding("spf", "Receivers know the new server", Stage.CUTOVER, Wait(EARLIER, "caches may hold the old SPF"))
BLOCKED = Verdict(Status.BLOCKED, "two SPF records")


def test_a_step_that_waits_for_two_checks_goes_on_when_the_later_one_holds() -> None:
    assert plan(step(1, Stage.CUTOVER, MX_LONG, MX_SHORT, WAIT), findings=(SOONER,)).next_time == TOMORROW


def test_where_no_step_has_a_time_the_earliest_of_a_check_is_told() -> None:
    assert plan(step(1, Stage.CUTOVER, MX_LONG, MX_SHORT, BLOCKED), findings=(SOONER,)).next_time == EARLIER
    assert plan(step(1, Stage.CUTOVER, MX_LONG, MX_SHORT)).next_time is None
