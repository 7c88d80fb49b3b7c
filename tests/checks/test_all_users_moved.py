from reconciler.checks.all_users_moved import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import BOTH_SPF, NEW_SPF, forward, gated, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

NARROW = Change(txt(BOTH_SPF), txt(NEW_SPF))


def user(local, **more):
    return {"address": f"{local}@example.org", "forward_to": f"{local}@old.example", **more}


def judge(*users, changes=(NARROW,), scripts=()):
    world = state(txt(BOTH_SPF), *scripts)
    return CHECK.judge(spec(mailboxes=list(users)), facts(Stage.HARDEN, world, *changes))


def test_it_fails_for_each_who_has_not_moved() -> None:
    answer = judge(user("ann"), user("bob", moved=True), user("cid"))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "2 users of 3 have not moved and may still send by the old server: ann@example.org and cid@example.org"
    )
    assert "set moved: true" in answer.todo


def test_it_passes_once_all_have_moved() -> None:
    answer = judge(user("ann", moved=True), user("bob", moved="2026-03-02"))
    assert answer == Pass("all 2 users with a forward to the old server have moved")


def test_a_date_to_come_has_not_come() -> None:
    answer = judge(user("bob", moved="2026-03-03"))
    assert isinstance(answer, Fail)
    assert "1 user of 1 has not moved" in answer.why


def test_a_mailbox_without_a_forward_moved_with_the_cutover() -> None:
    assert isinstance(judge({"address": "ann@example.org", "moved": False}), Pass)


def test_a_forward_that_its_user_switched_off_is_told() -> None:
    answer = judge(user("ann"), user("bob"), scripts=[forward("ann@old.example", on=False)])
    assert isinstance(answer, Fail)
    assert "; ann@example.org switched the forward off and may have moved already" in answer.why


def test_a_long_list_is_cut() -> None:
    answer = judge(*(user(f"u{number}") for number in range(10_000)))
    assert isinstance(answer, Fail)
    assert answer.why.endswith("u9@example.org and 9,990 more")


def test_once_hardened_it_only_warns() -> None:
    assert isinstance(judge(user("ann"), changes=()), Warn)


def test_it_holds_back_what_users_on_the_old_server_need() -> None:
    assert gated(CHECK) == {
        "SPF widened",
        "SPF TTL lowered",
        "DMARC tightened",
        "MX TTL lowered",
        "MX TTL raised",
        "forward removed",
        "forward ends in a script that stays",
    }
