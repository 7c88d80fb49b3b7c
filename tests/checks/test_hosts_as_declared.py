import pytest

from reconciler.checks.hosts_as_declared import CHECK
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import RECORDS, address, gated
from tests.support.facts import facts
from tests.support.specs import spec, state

HOST = "mail.example.org"
SPEC = spec(hosts={HOST: {"old": ["192.0.2.1"], "new": ["198.51.100.1", "2001:db8::1"]}})


def judge(*world):
    return CHECK.judge(SPEC, facts(Stage.OVERLAP, state(*world)))


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8:0:0::1"])
def test_addresses_of_either_side_are_known(text: str) -> None:
    assert judge(address(HOST, text)) == Pass("1 host with addresses that the spec knows")


def test_a_name_without_addresses_loses_none() -> None:
    assert isinstance(judge(), Pass)


def test_an_address_that_the_spec_does_not_know_fails() -> None:
    answer = judge(RRset.of(HOST, "A", 300, "192.0.2.1", "192.0.2.9"))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "addresses would be removed that the spec does not know: mail.example.org. A is 192.0.2.1 and 192.0.2.9, "
        "but hosts in the spec says 192.0.2.1 (old) and 198.51.100.1 (new)"
    )


def test_an_address_of_a_family_that_one_side_lacks_fails() -> None:
    answer = judge(address(HOST, "2001:db8::99"))
    assert isinstance(answer, Fail)
    assert "none (old) and 2001:db8::1 (new)" in answer.why


def test_it_holds_back_every_record() -> None:
    assert gated(CHECK) == RECORDS
