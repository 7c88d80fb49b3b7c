import dataclasses

from reconciler.checks.reverse_dns import CHECK
from reconciler.model.outside import Outside, ReverseName, ReverseNames
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import gated
from tests.support.facts import facts
from tests.support.specs import spec

GOOD = ReverseName("192.0.2.1", ("mail.new.example",), ("mail.new.example",))
NAMELESS = ReverseName("192.0.2.2")
ASTRAY = ReverseName("192.0.2.3", ("a.example", "b.example"))
UNKNOWN = ReverseName("192.0.2.4", trouble="does not answer within 2 seconds")


def judge(*found: ReverseName):
    outside = Outside((ReverseNames("127.0.0.1:53", found),))
    return CHECK.judge(spec(), dataclasses.replace(facts(Stage.CUTOVER, {}), outside=outside))


def test_it_only_tells():
    assert gated(CHECK) == set()


def test_names_that_lead_back_pass():
    assert judge(GOOD) == Pass("1 address with a name that leads back")


def test_each_fault_is_told_in_its_own_words_and_what_is_good_is_not():
    answer = judge(UNKNOWN, GOOD, NAMELESS, ASTRAY)
    assert isinstance(answer, Warn)
    assert answer.why == (
        "the name of 192.0.2.4 could not be looked up: the resolver 127.0.0.1:53 does not answer within 2 seconds; "
        "the new server sends from 192.0.2.2, which the DNS has no name for (PTR); "
        "the new server sends from 192.0.2.3, whose name a.example and b.example does not lead back to it"
    )
    assert "PTR record" in answer.todo


def test_a_resolver_that_is_silent_is_told_once():
    answer = judge(UNKNOWN, dataclasses.replace(UNKNOWN, address="192.0.2.5"))
    assert isinstance(answer, Warn)
    assert answer.why.startswith("the name of 192.0.2.4 and 192.0.2.5 could not be looked up")
    assert "PTR" not in answer.todo
