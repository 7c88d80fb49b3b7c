from reconciler.checks.catch_all_swallows import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import ANN, TURNS, alias, catch_all, gated, mailbox, make
from tests.support.facts import facts
from tests.support.specs import spec, state

OLD, NEW = Place.OLD, Place.NEW
OURS = make(catch_all(NEW, ANN))


def judge(*world, changes=(OURS,)):
    return CHECK.judge(spec(), facts(Stage.PREPARE, state(*world), *changes))


def test_it_fails_for_an_address_that_would_go_to_the_catch_all() -> None:
    answer = judge(mailbox(OLD), mailbox(NEW), mailbox(OLD, "bob@example.org"), alias(OLD, "info@example.org", ANN))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "2 addresses of the old server would go to the catch-all on the new one (ann@example.org), and nobody would "
        "notice: bob@example.org and info@example.org"
    )


def test_it_passes_where_the_new_server_has_them_all() -> None:
    assert isinstance(judge(mailbox(OLD), mailbox(NEW)), Pass)


def test_it_passes_without_a_catch_all() -> None:
    assert judge(mailbox(OLD), changes=()) == Pass("the new server has no catch-all")


def test_it_holds_back_the_catch_all_and_the_turns() -> None:
    assert gated(CHECK) == {"catch-all made"} | TURNS
