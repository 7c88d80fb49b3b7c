import dataclasses
from datetime import timedelta

from reconciler.checks.new_server_answers import CHECK
from reconciler.model.address import Place
from reconciler.model.outside import Outside, Reception, Receptions, Reply
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait
from tests.support.changes import ANN, TURNS, catch_all, gated, mailbox, make
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec, state

SERVER = "mail.new.example:25"
YES, NO, LATER = Reply(250, "2.1.5 Ok"), Reply(550, "5.1.1 User unknown"), Reply(450, "4.2.0 Greylisted")


def reception(*, nobody: Reply = NO, unasked: int = 0, trouble: str = "", **answers: Reply) -> Reception:
    asked = {f"{name}@example.org": reply for name, reply in answers.items()}
    return Reception(SERVER, asked, nobody, Reply(554, "denied"), "postmaster@old.example", unasked, trouble)


def judge(*seen: Reception, world=(), changes=(), **overrides):
    known = facts(Stage.CUTOVER, state(*world), *changes)
    return CHECK.judge(
        spec(**overrides), dataclasses.replace(known, outside=Outside((Receptions(seen),)) if seen else known.outside)
    )


def test_it_holds_back_the_turns_and_nothing_else():
    assert gated(CHECK) == TURNS
    assert CHECK.stages == {Stage.CUTOVER}


def test_what_nobody_asked_for_holds_nothing_back():
    assert isinstance(judge(), Pass)


def test_one_server_of_two_that_refuses_is_enough():
    answer = judge(reception(ann=YES), dataclasses.replace(reception(ann=NO), server="[2001:db8::1]:25"))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "[2001:db8::1]:25 refuses 1 of 1 address, mail for them would bounce: ann@example.org (550 5.1.1 User unknown)"
    )


def test_a_refusal_weighs_more_than_what_is_not_known():
    answer = judge(reception(ann=NO, bob=LATER, nobody=LATER))
    assert isinstance(answer, Fail)
    assert "bob" not in answer.why


def test_what_the_server_has_in_its_files_and_refuses_fails():
    assert isinstance(judge(reception(ann=NO), world=[mailbox()]), Fail)


def test_what_is_still_to_be_made_is_waited_for():
    assert judge(reception(ann=NO), changes=[make(mailbox())]) == Wait(
        None, f"{SERVER} does not know 1 address yet (ann@example.org): asked again once that is made"
    )
    assert isinstance(judge(reception(ann=NO, bob=NO), changes=[make(mailbox())]), Fail)


def test_a_catch_all_to_come_takes_everything_then():
    change = make(catch_all(Place.NEW, ANN))
    assert isinstance(judge(reception(ann=NO, bob=NO), changes=[change], catch_all=ANN), Wait)


def test_what_is_put_off_is_asked_again_when_greylisting_is_over():
    answer = judge(reception(ann=LATER, bob=YES, unasked=7))
    assert answer == Wait(
        MONDAY_MORNING + timedelta(minutes=5),
        f"not known yet: {SERVER} puts off 1 address, as one that greylists does, and 7 were not asked: "
        "ann@example.org (450 4.2.0 Greylisted)",
    )
    assert isinstance(judge(reception(ann=YES, nobody=LATER)), Wait)


def test_addresses_without_an_answer_are_no_pass():
    answer = judge(reception(ann=YES, unasked=1, trouble="closes the connection without a word"))
    assert isinstance(answer, Fail)
    assert answer.why.startswith(f"{SERVER} closes the connection without a word, so nobody can say")


def test_a_catch_all_of_the_spec_may_take_what_nobody_has():
    assert isinstance(judge(reception(ann=YES, nobody=YES)), Fail)
    assert isinstance(judge(reception(ann=YES, nobody=YES), catch_all=ANN), Pass)
    assert isinstance(judge(reception(ann=YES, nobody=YES), world=[catch_all(Place.NEW, ANN)]), Pass)
