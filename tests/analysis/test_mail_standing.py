from datetime import datetime, timedelta

import pytest

from reconciler.analysis.mail_standing import Delivery, returned, stored
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.sighting import History
from reconciler.model.stage import Stage
from reconciler.resources.mail.returned import desired as desired_return
from reconciler.resources.mail.stored import desired as desired_mail
from tests.support.changes import ANN, NEW_MX, mx
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import seen
from tests.support.specs import spec

ENDS = {"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}}
MOVE = spec(copy=ENDS, mailboxes=[{"address": ANN}], waits={"copy_fresh": "24h", "quiet": "3d"})
HOUR, DAY = 3600.0, 86400.0
NEVER_TURNED = seen(("ns1", 0, mx()), ("ns2", 0, mx()))
TURNED = seen(("ns1", 0, mx()), ("ns2", 0, mx()), ("ns1", HOUR, mx(NEW_MX)), ("ns2", HOUR + 60, mx(NEW_MX)))
OLD_CLOSED = HOUR + 60 + 300
HALF_TURNED = seen(("ns1", 0, mx()), ("ns2", 0, mx()), ("ns1", HOUR, mx(NEW_MX)))
BACK = History.of([*TURNED.sightings, *seen(("ns1", 2 * HOUR, mx()), ("ns2", 2 * HOUR, mx())).sightings])
NEW_CLOSED = 2 * HOUR + 300


def at(seconds: float) -> datetime:
    return MONDAY_MORNING + timedelta(seconds=seconds)


def passed(began: float, grade: Grade = Grade.PERFECT, brought: float | None = None) -> LastPass:
    return LastPass(at(began), at(began), grade, None if brought is None else at(brought))


def is_complete(history: History, last: LastPass | None, now: float, of=MOVE) -> bool | None:
    """None: it was never copied."""
    delivery = Delivery.of(of, {"example.org. MX": history})
    found = list(stored(of, {ANN: last} if last else {}, delivery, at(now)))
    return found[0].complete if found else None


def is_returned(history: History, last: LastPass | None) -> bool:
    return bool(list(returned(MOVE, {ANN: last} if last else {}, Delivery.of(MOVE, {"example.org. MX": history}))))


def test_what_was_never_copied_is_not_there() -> None:
    assert is_complete(NEVER_TURNED, None, 0) is None


def test_before_the_cutover_a_comparison_counts_for_a_day() -> None:
    assert is_complete(NEVER_TURNED, passed(0), DAY)
    assert is_complete(NEVER_TURNED, passed(0), DAY + 1) is False


@pytest.mark.parametrize(("grade", "good"), [(Grade.GOOD, True), (Grade.INVESTIGATE, False), (Grade.POOR, False)])
def test_a_bad_verdict_never_counts(grade, good) -> None:
    assert is_complete(NEVER_TURNED, passed(0, grade), 1) is good


def test_a_person_may_have_looked_into_it() -> None:
    approved = spec(copy={**ENDS, "approved": [ANN]}, mailboxes=[{"address": ANN}])
    assert is_complete(NEVER_TURNED, passed(0, Grade.INVESTIGATE), 1, approved)
    assert is_complete(NEVER_TURNED, passed(0, Grade.POOR), 1, approved) is False


@pytest.mark.parametrize("history", [TURNED, HALF_TURNED])
def test_while_a_cache_may_name_the_old_server_more_may_come(history) -> None:
    assert is_complete(history, passed(HOUR + 61), OLD_CLOSED - 1) is False


def test_once_none_does_what_came_late_has_to_be_collected() -> None:
    assert is_complete(TURNED, passed(OLD_CLOSED - 1), OLD_CLOSED) is False
    assert is_complete(TURNED, passed(OLD_CLOSED), OLD_CLOSED + 1)


def test_a_comparison_alone_does_not_see_what_came_after_its_pass() -> None:
    last = LastPass(copied=at(OLD_CLOSED - 1), judged=at(OLD_CLOSED), grade=Grade.GOOD)
    assert is_complete(TURNED, last, OLD_CLOSED + 1) is False


def test_users_who_go_on_working_there_are_followed_every_day() -> None:
    last = passed(OLD_CLOSED, brought=OLD_CLOSED)
    assert is_complete(TURNED, last, OLD_CLOSED + DAY)
    assert is_complete(TURNED, last, OLD_CLOSED + DAY + 1) is False


@pytest.mark.parametrize(("began", "quiet"), [(2.5 * DAY, False), (3 * DAY, True)])
def test_it_is_quiet_once_a_pass_finds_nothing_long_enough_after_one_that_did(began, quiet) -> None:
    delivery = Delivery.of(MOVE, {"example.org. MX": TURNED})
    last = passed(OLD_CLOSED + began, brought=OLD_CLOSED)
    (mail,) = stored(MOVE, {ANN: last}, delivery, at(OLD_CLOSED + 300 * DAY))
    assert (mail.complete, mail.quiet) == (quiet, quiet)


def test_before_the_cutover_no_silence_counts() -> None:
    delivery = Delivery.of(MOVE, {"example.org. MX": NEVER_TURNED})
    (mail,) = stored(MOVE, {ANN: passed(0)}, delivery, at(1))
    assert (mail.complete, mail.quiet) == (True, False)


def test_after_a_return_the_next_cutover_wants_a_fresh_comparison_again() -> None:
    assert is_complete(BACK, passed(OLD_CLOSED), 2 * DAY) is False
    assert is_complete(BACK, passed(2 * DAY), 2 * DAY + 1)


def test_nothing_has_to_come_back_that_never_went() -> None:
    assert is_returned(NEVER_TURNED, None)


def test_what_came_to_the_new_server_is_missing_on_the_old_one() -> None:
    assert not is_returned(TURNED, None)
    assert not is_returned(BACK, None)


def test_it_is_back_when_a_pass_began_after_the_last_cache_forgot_the_new_server() -> None:
    assert not is_returned(BACK, passed(NEW_CLOSED - 1))
    assert is_returned(BACK, passed(NEW_CLOSED))
    assert not is_returned(BACK, passed(NEW_CLOSED, Grade.POOR))


def test_a_new_mailbox_has_no_mail_that_could_follow() -> None:
    move = spec(copy=ENDS, mailboxes=[{"address": ANN, "old_mail": False}])
    assert [*desired_mail(move, Stage.HARDEN), *desired_return(move, Stage.OVERLAP)] == []
    assert is_complete(TURNED, passed(OLD_CLOSED), OLD_CLOSED + 1, move) is None
