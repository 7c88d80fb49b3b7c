from reconciler.checks.address_parity import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import ANN, TURNS, alias, catch_all, gated, mailbox, make
from tests.support.facts import facts
from tests.support.specs import spec, state

OLD, NEW = Place.OLD, Place.NEW
INFO = "info@example.org"


def judge(*world, stage=Stage.CUTOVER, changes=()):
    return CHECK.judge(spec(), facts(stage, state(*world), *changes))


def test_mailboxes_and_aliases_may_answer_for_one_another() -> None:
    world = (mailbox(OLD), alias(OLD, INFO, ANN), mailbox(NEW), mailbox(NEW, INFO))
    assert judge(*world) == Pass("2 addresses of the old server, all answered by the new one")


def test_a_forgotten_address_fails_by_name() -> None:
    answer = judge(mailbox(OLD), alias(OLD, INFO, ANN), mailbox(NEW))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "1 address of the old server is not on the new one, mail for them would bounce: info@example.org"
    )
    assert "add them to mailboxes or aliases in the spec" in answer.todo


def test_what_this_plan_makes_counts() -> None:
    assert isinstance(judge(mailbox(OLD), changes=[make(mailbox(NEW))]), Pass)


def test_a_catch_all_without_a_counterpart_fails() -> None:
    answer = judge(mailbox(OLD), mailbox(NEW), catch_all(OLD, ANN))
    assert isinstance(answer, Fail)
    assert answer.why == "the old server has a catch-all (to ann@example.org) and the new one has none"
    assert answer.todo == "set catch_all, or remove the old one"


def test_with_a_catch_all_on_the_new_server_another_check_speaks() -> None:
    assert isinstance(judge(mailbox(OLD), catch_all(OLD, ANN), catch_all(NEW, ANN)), Pass)


def test_addresses_of_other_domains_are_not_ours() -> None:
    assert isinstance(judge(mailbox(OLD), mailbox(NEW), mailbox(OLD, "ann@other.example")), Pass)


def test_at_prepare_it_only_warns() -> None:
    assert isinstance(judge(mailbox(OLD), stage=Stage.PREPARE), Warn)


def test_an_old_server_that_shows_nothing_proves_nothing() -> None:
    answer = judge(mailbox(NEW))
    assert isinstance(answer, Warn)
    assert "the old server shows no address of example.org" in answer.why


def test_a_long_list_is_cut() -> None:
    answer = judge(*(mailbox(OLD, f"u{number}@example.org") for number in range(1000)))
    assert isinstance(answer, Fail)
    assert answer.why.endswith("u9@example.org and 990 more")
    assert answer.why.startswith("1,000 addresses of the old server are not")


def test_it_holds_back_the_turns_and_nothing_else() -> None:
    assert gated(CHECK) == TURNS
