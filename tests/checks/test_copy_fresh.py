from datetime import timedelta

import pytest

from reconciler.checks.copy_fresh import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait
from reconciler.resources.mail.stored import StoredMail
from tests.support.changes import ANN, CHANGES, TURNS, gated
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec, state

ENDS = {"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}}
TURNED = (CHANGES["MX turned"],)
JUST_NOW = MONDAY_MORNING - timedelta(hours=1)
MAIL = StoredMail(place=Place.NEW, name=ANN)
WHOLE = StoredMail(place=Place.NEW, name=ANN, complete=True)


def judge(*last, stands=WHOLE, changes=TURNED, **copy):
    """Of Ann's mailbox, whose last pass is as given, or was never made."""
    move = spec(copy={**ENDS, **copy}, mailboxes=[{"address": ANN}])
    world = state(*([stands] if stands else []))
    return CHECK.judge(move, facts(Stage.CUTOVER, world, *changes, copies=dict(zip([ANN], last, strict=False))))


def test_it_gates_what_turns_the_mail() -> None:
    assert gated(CHECK) == TURNS


@pytest.mark.parametrize("grade", [Grade.PERFECT, Grade.GOOD])
def test_a_fresh_and_proven_copy_passes(grade) -> None:
    answer = judge(LastPass(JUST_NOW, JUST_NOW, grade))
    assert answer == Pass("1 mailbox copied, and compared with the old server's")


@pytest.mark.parametrize("stands", [None, MAIL])
def test_what_is_not_copied_or_compared_waits(stands) -> None:
    answer = judge(stands=stands)
    assert answer == Wait(None, f"the mail of 1 mailbox is not copied: {ANN}")


@pytest.mark.parametrize("stands", [None, MAIL])
def test_what_the_plan_copies_first_lets_the_mail_be_turned_after_it(stands) -> None:
    answer = judge(stands=stands, changes=(Change(stands, WHOLE), *TURNED))
    assert isinstance(answer, Pass)
    assert answer.evidence.endswith("of 1 this plan copies and compares it first")


def test_a_poor_copy_blocks_whatever_is_approved() -> None:
    answer = judge(LastPass(JUST_NOW, JUST_NOW, Grade.POOR), approved=[ANN])
    assert isinstance(answer, Fail)
    assert answer.why == f"mail is missing or altered on the new server (Poor): {ANN}"
    assert "approved" not in answer.todo


def test_what_is_to_be_investigated_wants_a_line_in_the_spec() -> None:
    last = LastPass(JUST_NOW, JUST_NOW, Grade.INVESTIGATE)
    answer = judge(last)
    assert isinstance(answer, Fail)
    assert "list the address under copy.approved" in answer.todo
    assert isinstance(judge(last, approved=[ANN]), Pass)


def test_nothing_is_asked_where_no_mail_is_turned_or_no_mail_is_copied() -> None:
    assert judge(changes=()) == Pass("no mail is turned to the new server here")
    answer = CHECK.judge(spec(), facts(Stage.CUTOVER, state(), *TURNED))
    assert isinstance(answer, Pass)
    assert "no section copy" in answer.evidence
