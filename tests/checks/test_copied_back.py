from reconciler.checks.copied_back import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from reconciler.resources.mail.returned import ReturnedMail
from tests.support.changes import ANN, NEW_MX, gated, mailbox, mx
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

GONE = Change(mailbox(Place.NEW), None)
TURNED = {"example.org. MX": seen(("ns1", 0, mx()), ("ns1", 3600, mx(NEW_MX)), ("ns1", 7200, mx()))}


def judge(*changes, of=None, **known):
    return CHECK.judge(of or spec(), facts(Stage.PREPARE, state(mailbox(Place.NEW), mx()), *changes, **known))


def test_an_account_that_may_hold_mail_stays_until_a_person_has_copied_it() -> None:
    answer = judge(GONE, histories=TURNED)
    assert isinstance(answer, Fail)
    assert "example.org. MX named the new server, so 1 account there may hold mail" in answer.why
    assert "confirm.copied_back: true" in answer.todo


def test_the_spec_says_that_it_was_copied() -> None:
    assert isinstance(judge(GONE, of=spec(confirm={"copied_back": True}), histories=TURNED), Pass)


def test_the_steps_of_the_plan_have_copied_it() -> None:
    of = spec(copy={"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}})
    back = ReturnedMail(place=Place.OLD, name=ANN)
    assert isinstance(judge(GONE, of=of, histories=TURNED), Fail)
    assert isinstance(judge(GONE, of=of, histories=TURNED, expected=state(mailbox(Place.NEW), mx(), back)), Pass)


def test_before_the_cutover_nothing_can_have_arrived() -> None:
    assert isinstance(judge(GONE, histories={"example.org. MX": seen(("ns1", 0, mx()))}), Pass)


def test_it_is_only_asked_where_accounts_go() -> None:
    assert isinstance(judge(histories=TURNED), Pass)


def test_it_holds_back_what_takes_addresses_from_the_new_server() -> None:
    assert gated(CHECK) == {"alias removed", "catch-all removed"}
