from reconciler.checks.standard_addresses import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import ANN, alias, catch_all, gated, mailbox
from tests.support.facts import facts
from tests.support.specs import spec, state


def judge(*world):
    return CHECK.judge(spec(), facts(Stage.PREPARE, state(*world)))


def test_it_warns_of_those_that_nobody_answers() -> None:
    answer = judge(alias(Place.NEW, "postmaster@example.org", ANN))
    assert isinstance(answer, Warn)
    assert "the new server does not answer abuse@example.org:" in answer.why


def test_a_mailbox_and_an_alias_will_do() -> None:
    world = (alias(Place.NEW, "postmaster@example.org", ANN), mailbox(Place.NEW, "abuse@example.org"))
    assert judge(*world) == Pass("postmaster@example.org and abuse@example.org are answered by the new server")


def test_a_catch_all_will_do() -> None:
    assert isinstance(judge(catch_all(Place.NEW, ANN)), Pass)


def test_those_of_the_old_server_do_not_count() -> None:
    assert isinstance(judge(catch_all(Place.OLD, ANN)), Warn)


def test_it_holds_back_nothing() -> None:
    assert gated(CHECK) == set()
