import pytest

from reconciler.checks.mx_as_declared import CHECK
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import NEW_MX, OLD_MX, RECORDS, gated, mx
from tests.support.facts import facts
from tests.support.specs import spec, state


def judge(*world):
    return CHECK.judge(spec(), facts(Stage.OVERLAP, state(*world)))


@pytest.mark.parametrize(("rdata", "side"), [(OLD_MX, "old.mx"), (NEW_MX, "new.mx")])
def test_either_set_of_the_spec_is_known(rdata: str, side: str) -> None:
    assert judge(mx(rdata, ttl=86400)) == Pass(f"MX of example.org is {side}: {rdata}")


def test_an_exchange_that_the_spec_does_not_know_fails() -> None:
    answer = judge(mx(OLD_MX, "20 backup.example."))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "MX of example.org is 10 mx.old.example. and 20 backup.example., but the spec says 10 mx.old.example. (old.mx) "
        "and 10 mx.new.example. (new.mx): the spec does not know 20 backup.example. and would remove it"
    )
    assert "write what stands into old.mx" in answer.todo


def test_a_mixture_of_the_two_is_neither() -> None:
    answer = judge(mx(OLD_MX, NEW_MX))
    assert isinstance(answer, Fail)
    assert answer.why.endswith("(new.mx): it is neither")


def test_another_preference_is_another_mx() -> None:
    assert isinstance(judge(mx("20 mx.old.example.")), Fail)


def test_a_domain_without_mx_is_told() -> None:
    answer = judge()
    assert isinstance(answer, Warn)
    assert "example.org has no MX" in answer.why


def test_it_holds_back_every_record() -> None:
    assert gated(CHECK) == RECORDS
    assert CHECK.stages == frozenset(Stage)
