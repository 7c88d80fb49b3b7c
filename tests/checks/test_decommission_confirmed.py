from reconciler.checks.decommission_confirmed import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import CHANGES, gated, mailbox, mx, remove
from tests.support.facts import facts
from tests.support.specs import spec, state


def judge(*changes, **confirm):
    return CHECK.judge(spec(confirm=confirm), facts(Stage.DECOMMISSION, state(mx()), *changes))


def test_it_fails_without_the_line_in_the_spec() -> None:
    answer = judge(CHANGES["key record removed"], remove(mailbox(Place.OLD)))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "this takes away 1 object on the old server and 1 DKIM record: the one step that cannot be undone"
    )
    assert "confirm: {decommission: true}" in answer.todo


def test_it_passes_with_the_line() -> None:
    assert isinstance(judge(CHANGES["key record removed"], decommission=True), Pass)


def test_it_passes_where_nothing_is_taken_away() -> None:
    assert judge() == Pass("nothing is retired here")


def test_it_holds_back_what_takes_the_old_server_away() -> None:
    assert gated(CHECK) == {"old mailbox removed", "old alias removed", "key record removed"}
