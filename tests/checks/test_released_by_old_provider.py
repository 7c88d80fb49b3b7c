from reconciler.checks.released_by_old_provider import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import BOTH_SPF, NEW_SPF, gated, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

NARROW = Change(txt(BOTH_SPF), txt(NEW_SPF))


def judge(*changes, **confirm):
    return CHECK.judge(spec(confirm=confirm), facts(Stage.HARDEN, state(txt(BOTH_SPF)), *changes))


def test_it_fails_without_the_line_in_the_spec() -> None:
    answer = judge(NARROW)
    assert isinstance(answer, Fail)
    assert "as long as the old provider takes example.org for its own" in answer.why
    assert "confirm: {released_by_old_provider: true}" in answer.todo


def test_it_passes_with_the_line() -> None:
    assert isinstance(judge(NARROW, released_by_old_provider=True), Pass)


def test_it_does_not_ask_where_spf_stays() -> None:
    assert judge() == Pass("SPF does not change here")


def test_it_holds_back_spf_alone() -> None:
    assert gated(CHECK) == {"SPF widened"}
