from reconciler.checks.passwords_available import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import ANN, gated, mailbox, make
from tests.support.facts import facts
from tests.support.specs import spec, state

KEPT = make(mailbox(password=f"keep:{ANN}"))


def judge(*world, changes=(KEPT,)):
    return CHECK.judge(spec(), facts(Stage.PREPARE, state(*world), *changes))


def test_it_passes_where_the_old_account_exists() -> None:
    assert judge(mailbox(Place.OLD)) == Pass("1 new mailbox with the old password, all known there")


def test_it_fails_by_name_where_there_is_none() -> None:
    answer = judge(mailbox(Place.OLD, "bob@example.org"))
    assert isinstance(answer, Fail)
    assert answer.why.endswith("1 mailbox whose password is to be kept, so nobody could log in: ann@example.org")
    assert "password: generate" in answer.todo


def test_other_passwords_need_no_old_account() -> None:
    assert isinstance(judge(changes=[make(mailbox(password=f"generate:{ANN}"))]), Pass)


def test_a_mailbox_that_exists_keeps_its_own() -> None:
    assert isinstance(judge(mailbox(Place.NEW), changes=()), Pass)


def test_it_holds_back_mailboxes_that_keep_a_password() -> None:
    assert gated(CHECK) == {"mailbox made, password kept"}
