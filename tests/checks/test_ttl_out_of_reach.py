from reconciler.checks.ttl_out_of_reach import CHECK
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import gated, mx
from tests.support.facts import facts
from tests.support.specs import spec, state


def judge(*records, during=300):
    return CHECK.judge(spec(ttl={"during": during}), facts(Stage.OVERLAP, state(*records)))


def test_a_lowered_ttl_passes() -> None:
    assert isinstance(judge(mx(ttl=300)), Pass)


def test_a_ttl_that_stays_high_is_told_with_the_wait_that_follows() -> None:
    answer = judge(mx(ttl=86400))
    assert isinstance(answer, Warn)
    assert "24 h (86400 s)" in answer.why
    assert "300 s" in answer.why or "5 min" in answer.why
    assert "example.org. MX" in answer.why
    assert "another DNS host" in answer.todo


def test_a_spec_that_asks_for_no_less_is_content() -> None:
    assert isinstance(judge(mx(ttl=86400), during=86400), Pass)


def test_a_zone_without_such_a_record_has_nothing_to_lower() -> None:
    assert isinstance(judge(), Pass)


def test_it_holds_nothing_back() -> None:
    assert gated(CHECK) == set()
