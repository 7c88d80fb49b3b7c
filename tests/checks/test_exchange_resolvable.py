import pytest

from reconciler.checks.exchange_resolvable import CHECK
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import TURNS, address, gated, make, mx
from tests.support.facts import facts
from tests.support.specs import spec, state

HOST = "box.mail.example.org"


def judge(*world, exchange=HOST, changes=()):
    return CHECK.judge(spec(new={"mx": [f"10 {exchange}"]}), facts(Stage.CUTOVER, state(mx(), *world), *changes))


def test_a_name_of_the_zone_without_an_address_fails() -> None:
    answer = judge()
    assert isinstance(answer, Fail)
    assert (
        answer.why == "no A or AAAA record for box.mail.example.org., which the MX would name: all mail would come back"
    )


@pytest.mark.parametrize("text", ["198.51.100.1", "2001:db8::1"])
def test_an_address_of_either_family_will_do(text: str) -> None:
    assert judge(address(HOST, text)) == Pass("box.mail.example.org. have addresses")


def test_an_address_that_this_stage_writes_will_do() -> None:
    assert isinstance(judge(changes=[make(address(HOST, "198.51.100.1"))]), Pass)


def test_a_wildcard_stands_in_for_a_name_that_does_not_exist() -> None:
    assert isinstance(judge(RRset.of("*.example.org", "A", 300, "198.51.100.1")), Pass)


def test_a_wildcard_does_not_stand_in_for_a_name_that_exists() -> None:
    wild = RRset.of("*.mail.example.org", "A", 300, "198.51.100.1")
    assert isinstance(judge(wild, RRset.of(HOST, "TXT", 300, "here")), Fail)


def test_a_delegated_name_is_not_judged() -> None:
    assert isinstance(judge(RRset.of("mail.example.org", "NS", 300, "ns.elsewhere.example.")), Pass)


def test_a_name_in_another_zone_is_not_judged() -> None:
    assert judge(exchange="mx.new.example") == Pass("the new exchanges are named in other zones")


def test_it_holds_back_the_turns_and_nothing_else() -> None:
    assert gated(CHECK) == TURNS
