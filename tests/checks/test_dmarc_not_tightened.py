import pytest

from reconciler.checks.dmarc_not_tightened import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import TURNS, gated
from tests.support.changes import txt as any_txt
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

NAME = "_dmarc.example.org. TXT"


def txt(*texts):
    return any_txt(*texts, owner="_dmarc.example.org")


def judge(*texts, stage=Stage.CUTOVER, was=None, changes=(), **known):
    world = state(*([txt(*texts)] if texts else []))
    histories = {NAME: seen(("ns1", 0, txt(was)), ("ns1", 60, txt(*texts)))} if was else {}
    return CHECK.judge(spec(), facts(stage, world, *changes, histories=histories, **known))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("v=DMARC1; p=none", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=quarantine", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=none", "v=DMARC1; p=none; sp=reject"),
        ("v=DMARC1; p=reject; t=y", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=reject; pct=10", "v=DMARC1; p=reject; pct=100"),
        ("v=spf1 -all", "v=DMARC1; p=quarantine"),
    ],
)
def test_a_policy_that_got_stricter_since_the_start_fails(was: str, now: str) -> None:
    answer = judge(now, was=was)
    assert isinstance(answer, Fail)
    assert "when it was first looked at (2026-03-02 08:00 UTC)" in answer.why
    assert "put back what stood at _dmarc.example.org until harden" in answer.todo


def test_a_policy_that_got_milder_passes() -> None:
    answer = judge("v=DMARC1; p=none", was="v=DMARC1; p=reject")
    assert answer == Pass(
        "DMARC of example.org: p=none, not stricter than when it was first looked at (2026-03-02 08:00 UTC)"
    )


def test_what_stood_before_our_own_change_is_the_start() -> None:
    tight = txt("v=DMARC1; p=reject")
    answer = judge("v=DMARC1; p=reject", baseline={tight.address: txt("v=DMARC1; p=none; rua=mailto:a@example.org")})
    assert isinstance(answer, Fail)
    assert answer.why.startswith(
        "the DMARC policy was p=none; rua=mailto:a@example.org before this move touched it and is p=reject now"
    )


def test_a_strict_policy_that_always_stood_is_told_before_mail_moves() -> None:
    answer = judge("v=DMARC1; p=reject", stage=Stage.OVERLAP)
    assert isinstance(answer, Warn)
    assert "mail from the new server that is not signed right is refused" in answer.why
    assert isinstance(judge("v=DMARC1; p=reject", stage=Stage.PREPARE), Pass)


def test_no_policy_at_all_passes() -> None:
    assert judge() == Pass("DMARC of example.org: no policy, not stricter than as it stands")


def test_harden_may_tighten() -> None:
    tighten = Change(txt("v=DMARC1; p=none"), txt("v=DMARC1; p=reject"))
    assert isinstance(judge("v=DMARC1; p=none", stage=Stage.HARDEN, changes=[tighten]), Pass)


def test_two_records_are_told_and_stop_a_change_of_them() -> None:
    two = ("v=DMARC1; p=none", "v=DMARC1; p=reject")
    answer = judge(*two)
    assert isinstance(answer, Warn)
    assert "_dmarc.example.org has 2 DMARC records, and receivers ignore them all" in answer.why
    change = Change(txt("v=DMARC1; p=none"), txt(*two))
    assert isinstance(judge("v=DMARC1; p=none", changes=[change]), Fail)


def test_a_policy_that_nobody_knows_is_told() -> None:
    answer = judge("v=DMARC1; p=strict")
    assert isinstance(answer, Warn)
    assert "without a policy that receivers know: v=DMARC1; p=strict" in answer.why


def test_it_holds_back_the_policy_and_the_turns() -> None:
    assert gated(CHECK) == {"DMARC tightened"} | TURNS
