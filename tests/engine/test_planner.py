from datetime import UTC, date, datetime, timedelta

from reconciler.extend import Check
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Status, Wait
from reconciler.resources.server.mailbox import Mailbox
from tests.engine.test_apply import MX, SPEC
from tests.support.move import NO_CHECKS, Move

LATER = datetime(2026, 3, 9, tzinfo=UTC)


def is_mx(change: Change) -> bool:
    return change.address.name == "example.org. MX"


def answering(answer, *stages: Stage, gates=is_mx) -> dict[str, Check]:
    return {"it": Check("It holds", frozenset(stages or Stage), gates, lambda spec, facts: answer, source="the test")}


def verdicts(checks, stage=Stage.CUTOVER) -> list[tuple[str, Status]]:
    plan = Move(SPEC, MX, checks=checks).plan(stage)
    return [(f"{step.stage.label} {step.change.address.name}", step.verdict.status) for step in plan.steps]


def test_without_objections_every_step_runs() -> None:
    assert {status for _, status in verdicts(NO_CHECKS)} == {Status.RUN}


def test_a_wait_holds_the_gated_step_until_its_time() -> None:
    plan = Move(SPEC, MX, checks=answering(Wait(LATER, "caches"), Stage.CUTOVER)).plan(Stage.CUTOVER)
    assert [(s.stage, s.verdict.status, s.verdict.until) for s in plan.steps if is_mx(s.change)] == [
        (Stage.OVERLAP, Status.RUN, None),
        (Stage.CUTOVER, Status.WAIT, LATER),
    ]
    assert plan.next_time == LATER


def test_a_failure_in_one_stage_blocks_all_later_stages() -> None:
    found = verdicts(answering(Fail("no", "yes"), Stage.OVERLAP))
    assert found[-2:] == [("overlap example.org. MX", Status.BLOCKED), ("cutover example.org. MX", Status.BLOCKED)]
    assert {status for _, status in found[:-2]} == {Status.RUN}


def test_a_check_sees_the_world_that_the_earlier_stages_leave() -> None:
    seen = {}

    def judge(spec, facts):
        seen[facts.stage] = sum(isinstance(r, Mailbox) for r in facts.expected.values())
        return Pass("")

    Move(SPEC, MX, checks={"it": Check("", frozenset(Stage), is_mx, judge, source="")}).plan(Stage.CUTOVER)
    assert seen == {Stage.PREPARE: 0, Stage.OVERLAP: 3, Stage.CUTOVER: 3}


def test_the_target_stage_is_judged_even_if_nothing_is_left_to_do() -> None:
    move = Move(SPEC, MX, checks=answering(Fail("no", "yes")))
    move.rules = move.rules.__class__(move.rules.kinds, NO_CHECKS)
    move.apply(Stage.PREPARE)
    move.rules = move.rules.__class__(move.rules.kinds, answering(Fail("no", "yes")))
    plan = move.plan(Stage.PREPARE)
    assert plan.steps == ()
    assert [finding.check for finding in plan.failures] == ["it"]


def by_hand() -> Move:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    del move.stores[Place.NEW, "mailbox"]
    move.unseen = frozenset({(Place.NEW, "mailbox")})
    return move


def test_what_a_product_cannot_hold_is_by_hand_and_holds_back_what_comes_after() -> None:
    steps = by_hand().plan(Stage.OVERLAP).steps
    ann = next(s for s in steps if s.change.address.name == "ann@example.org")
    assert ann.verdict.status is Status.BY_HAND
    assert "add mailbox ann@example.org" in ann.note
    assert "done_by_hand" in ann.note
    assert steps[-1].verdict.status is Status.WAIT


def test_what_a_person_has_done_and_listed_is_not_planned_again() -> None:
    move = by_hand()
    move.spec = SPEC.model_copy(update={"done_by_hand": tuple(f"new/mailbox/{m.address}" for m in SPEC.mailboxes)})
    assert {s.verdict.status for s in move.plan(Stage.OVERLAP).steps} == {Status.RUN}


def test_a_dated_move_counts_from_its_day_on() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    day = move.clock.now().date() + timedelta(days=1)
    mailbox = SPEC.mailboxes[0].model_copy(update={"forward_to": "ann@old-box.example", "moved": day})
    move.spec = SPEC.model_copy(update={"mailboxes": (mailbox,)})
    assert any(s.change.address.kind == "sieve" for s in move.plan(Stage.OVERLAP).steps)
    move.clock.advance(timedelta(days=1))
    assert isinstance(day, date)
    assert not any(s.change.address.kind == "sieve" for s in move.plan(Stage.OVERLAP).steps)


def test_what_a_product_makes_of_a_wish_is_what_is_planned_for() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.keeps = {Place.DNS: lambda wanted, _standing: wanted.model_copy(update={"ttl": MX.ttl})}
    steps = [s for s in move.plan(Stage.CUTOVER).steps if is_mx(s.change)]
    assert [(s.stage, isinstance(s.change.after, RRset) and s.change.after.ttl) for s in steps] == [
        (Stage.CUTOVER, MX.ttl)
    ]
    move.apply(Stage.CUTOVER)
    assert move.plan(Stage.CUTOVER).steps == ()


def test_a_wish_that_a_product_has_no_place_for_is_not_planned() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.keeps = {Place.NEW: lambda wanted, standing: standing if isinstance(wanted, Mailbox) else wanted}
    kinds = {s.change.address.kind for s in move.plan(Stage.OVERLAP).steps}
    assert "mailbox" not in kinds
    assert "rrset" in kinds


def test_a_change_that_a_product_refuses_is_blocked_in_the_plan_with_its_reason() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.refuses = {Place.DNS: lambda change: "no such MX here" if is_mx(change) else None}
    steps = move.plan(Stage.OVERLAP).steps
    mx = next(s for s in steps if is_mx(s.change))
    assert mx.verdict.status is Status.BLOCKED
    assert "no such MX here" in mx.verdict.why
    assert {s.verdict.status for s in steps if not is_mx(s.change)} == {Status.RUN}


def test_what_is_done_by_hand_is_not_refused() -> None:
    move = by_hand()
    move.refuses = {Place.NEW: lambda change: "never" if isinstance(change.subject, Mailbox) else None}
    steps = move.plan(Stage.OVERLAP).steps
    ann = next(s for s in steps if s.change.address.name == "ann@example.org")
    assert ann.verdict.status is Status.BY_HAND


def test_what_is_by_hand_waits_like_anything_else_and_says_so() -> None:
    move = by_hand()
    move.rules = move.rules.__class__(
        move.rules.kinds, answering(Wait(LATER, "caches"), gates=lambda change: change.address.kind == "mailbox")
    )
    step = next(s for s in move.plan(Stage.PREPARE).steps if s.change.address.kind == "mailbox")
    assert (step.verdict.status, step.verdict.until) == (Status.WAIT, LATER)
    assert step.note.startswith("later, by hand on ")


def test_no_address_goes_with_which_something_else_would_go() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.apply(Stage.PREPARE)

    def rests(before, after, *, keeps_zone):
        gone = any(a.kind == "mailbox" for a in before) and not any(a.kind == "mailbox" for a in after)
        return f"the zone goes too: {keeps_zone}" if gone else None

    move.rests = {Place.NEW: rests}
    kept = {s.change.address.kind: s.verdict for s in move.plan_back().steps}
    assert kept["mailbox"].status is Status.BLOCKED
    assert "the zone goes too: False" in kept["mailbox"].why
    assert kept["domain"].status is Status.BLOCKED
