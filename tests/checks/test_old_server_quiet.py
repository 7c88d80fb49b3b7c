from datetime import timedelta

from reconciler.checks.old_server_quiet import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait
from reconciler.resources.mail.stored import StoredMail
from tests.support.changes import ANN, gated
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec, state

ENDS = {"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def judge(brought: float | None, copied: float = 0):
    """Ann's mailbox, of which a pass so many days ago found something, and the last one nothing more."""
    last = LastPass(
        copied=MONDAY_MORNING - days(copied),
        judged=MONDAY_MORNING - days(copied),
        grade=Grade.GOOD,
        brought=None if brought is None else MONDAY_MORNING - days(brought),
    )
    move = spec(copy=ENDS, mailboxes=[{"address": ANN}], waits={"quiet": "3d"})
    return CHECK.judge(move, facts(Stage.HARDEN, state(), copies={ANN: last}))


def test_mail_that_was_found_lately_is_waited_out() -> None:
    answer = judge(brought=1)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + days(2)
    assert f"mail came to the old server in 1 mailbox ({ANN}), last on 2026-03-01 08:00 UTC ({ANN})" in answer.why


def test_silence_that_no_pass_has_looked_at_wants_one_more() -> None:
    answer = judge(brought=4, copied=2)
    assert isinstance(answer, Pass)
    assert "one more pass has to show first" in answer.evidence


def test_a_pass_that_found_nothing_after_the_silence_proves_it() -> None:
    assert isinstance(judge(brought=4, copied=1), Pass)
    assert isinstance(judge(brought=None), Pass)


def test_where_the_mail_is_copied_by_other_means_nobody_can_see_it() -> None:
    answer = CHECK.judge(spec(), facts(Stage.HARDEN, state()))
    assert isinstance(answer, Pass)
    assert "no section copy" in answer.evidence


def test_it_holds_back_what_the_old_server_still_needs() -> None:
    assert gated(CHECK) == {"SPF widened", "DMARC tightened", "forward removed", "forward ends in a script that stays"}
    assert CHECK.gates(Change(None, StoredMail(place=Place.NEW, name=ANN, complete=True, quiet=True)))
    assert not CHECK.gates(Change(None, StoredMail(place=Place.NEW, name=ANN, complete=True)))
