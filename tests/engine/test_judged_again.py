"""When the turn of a stage comes the plan is looked at again: what is wanted otherwise by then is not written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.apply import apply
from reconciler.engine.planner import make_plan
from reconciler.errors import StalePlan
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.plan import Step
from reconciler.model.rrset import RRset
from reconciler.model.run_event import StepsPutOff
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.spec.spec import Spec
from tests.support.listening import Heard
from tests.support.move import NO_CHECKS, Move, of_stage

PLAIN = {
    "domain": "example.org",
    "old": {"backend": "memory", "mx": ["10 mail.old.example"]},
    "new": {"backend": "memory", "mx": ["10 mail.new.example"]},
    "dns": {"backend": "memory"},
    "mailboxes": [{"address": "ann@example.org"}],
}
SPEC = Spec.model_validate(PLAIN)
MX = RRset.of("example.org", "MX", 86400, "10 mail.old.example.")
LOWERED = MX.model_copy(update={"ttl": 300})
NOT_WANTED = "is not wanted any more as planned"


def told(heard: Heard) -> list[str]:
    """What a person reads meanwhile."""
    return [event.why for event in heard if isinstance(event, StepsPutOff)]


@pytest.fixture
def move() -> Move:
    """A move that is prepared, so that overlap is the first stage of a plan."""
    prepared = Move(SPEC, MX, checks=NO_CHECKS)
    prepared.apply(Stage.PREPARE)
    return prepared


def test_a_step_that_is_no_longer_wanted_is_held_back_and_the_reason_is_told(move) -> None:
    plan = move.plan(Stage.OVERLAP)
    heard = Heard()
    outcome = apply(plan, replace(move.hands(), events=heard), lambda stage: {})
    assert move.state()[MX.address] == MX
    (held,) = outcome.held
    assert held.change.address == MX.address
    assert held.verdict.status is Status.WAIT
    assert held.verdict.why.startswith(f"it {NOT_WANTED}: ")
    assert held.verdict.why.endswith("plan again")
    assert told(heard) == [f"dns/rrset/example.org. MX {held.verdict.why.removeprefix('it ')}"]
    assert move.plan(Stage.OVERLAP).steps[0].verdict.status is Status.RUN


@pytest.mark.parametrize(
    "otherwise",
    [
        lambda change: Change(change.before, change.after.model_copy(update={"ttl": 77})),
        lambda change: Change(change.before, None),
        lambda change: Change(change.before.model_copy(update={"ttl": 77}), change.after),
    ],
    ids=["another value", "none", "from another value"],
)
def test_a_step_that_is_wanted_otherwise_now_is_held_back(move, otherwise) -> None:
    plan = move.plan(Stage.OVERLAP)

    def judge(stage: Stage) -> dict[Address, Step]:
        return {a: replace(s, change=otherwise(s.change)) for a, s in of_stage(plan, stage).items()}

    outcome = apply(plan, move.hands(), judge)
    assert move.state()[MX.address] == MX
    assert [step.change.address for step in outcome.held] == [MX.address]


@pytest.mark.parametrize("which", [0, 1])
def test_what_comes_after_it_is_held_back_too_and_what_comes_before_is_done(which) -> None:
    spec = Spec.model_validate(PLAIN | {"hosts": {"a.example.org": {"old": ["192.0.2.1"], "new": ["192.0.2.2"]}}})
    move = Move(spec, MX, RRset.of("a.example.org", "A", 86400, "192.0.2.1"), checks=NO_CHECKS)
    plan = move.plan(Stage.CUTOVER)
    gone = [step for step in plan.steps if step.stage is Stage.OVERLAP][which]

    def judge(stage: Stage) -> dict[Address, Step]:
        return {a: s for a, s in of_stage(plan, stage).items() if a != gone.change.address}

    outcome = apply(plan, move.hands(), judge)
    assert outcome.written == tuple(step.number for step in plan.steps if step.number < gone.number)
    assert [step.number for step in outcome.held] == [s.number for s in plan.steps if s.number >= gone.number]
    if which == 0:
        assert f"comes after step {gone.number}, which {NOT_WANTED}" in outcome.held[1].verdict.why


def test_what_another_hand_has_done_meanwhile_was_done_already(move) -> None:
    plan = move.plan(Stage.OVERLAP)

    def judge(stage: Stage) -> dict[Address, Step]:
        move.stores[Place.DNS, "rrset"].write([Change(MX, LOWERED)])
        return of_stage(move.plan(Stage.OVERLAP), stage)

    outcome = apply(plan, move.hands(), judge)
    assert outcome.held == ()
    assert outcome.already == (plan.steps[-1].number,)


def test_what_another_hand_has_changed_meanwhile_makes_the_plan_stale(move) -> None:
    plan = move.plan(Stage.OVERLAP)
    edited = MX.model_copy(update={"ttl": 7200})

    def judge(stage: Stage) -> dict[Address, Step]:
        move.stores[Place.DNS, "rrset"].write([Change(MX, edited)])
        return of_stage(move.plan(Stage.OVERLAP), stage)

    with pytest.raises(StalePlan, match=r"TTL 86400.*TTL 7200"):
        apply(plan, move.hands(), judge)
    assert move.state()[MX.address] == edited


def test_a_key_that_was_made_meanwhile_is_published_as_planned() -> None:
    new = {"backend": "memory", "mx": ["10 mail.new.example"], "dkim": ["new2026"]}
    move = Move(Spec.model_validate(PLAIN | {"new": new}), MX, checks=NO_CHECKS)
    plan = move.plan(Stage.CUTOVER)
    assert any(isinstance(step.change.after, RRset) and step.change.after.unknown for step in plan.steps)
    outcome = move.carry_out(plan)
    assert (outcome.held, len(outcome.written)) == ((), len(plan.steps))


def test_a_key_that_somebody_has_removed_since_it_was_made_is_not_published() -> None:
    new = {"backend": "memory", "mx": ["10 mail.new.example"], "dkim": ["new2026"]}
    move = Move(Spec.model_validate(PLAIN | {"new": new}), MX, checks=NO_CHECKS)
    keys = move.stores[Place.NEW, "dkim_key"]
    plan = move.plan(Stage.OVERLAP)

    def judge(stage: Stage) -> dict[Address, Step]:
        if stage is Stage.OVERLAP:
            (made,) = keys.read()
            keys.write([Change(made, None)])
        return of_stage(move.plan(Stage.OVERLAP), stage)

    outcome = apply(plan, move.hands(), judge)
    published = Address(Place.DNS, "rrset", "new2026._domainkey.example.org. TXT")
    assert published in {step.change.address for step in outcome.held}
    assert published not in move.state()
    assert move.apply(Stage.OVERLAP).held == ()
    assert published in move.state()


def test_an_address_that_two_stages_touch_is_compared_stage_by_stage(move) -> None:
    plan = move.plan(Stage.HARDEN)
    assert [step.change.address for step in plan.steps].count(MX.address) == 3
    outcome = move.carry_out(plan)
    assert (outcome.held, len(outcome.written)) == ((), len(plan.steps))


def test_a_rollback_that_walks_through_one_address_twice_is_carried_out() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    start = move.state()
    move.apply(Stage.HARDEN)

    plan = move.plan_back()
    outcome = move.carry_out(plan)
    assert (outcome.held, len(outcome.written)) == ((), len(plan.steps))
    assert move.state() == start


def test_of_two_steps_at_one_address_in_a_stage_the_second_is_not_done_when_it_is_not_wanted(move) -> None:
    plan = move.plan(Stage.OVERLAP)
    (*earlier, lowering) = plan.steps
    further = replace(
        lowering, number=lowering.number + 1, change=Change(LOWERED, LOWERED.model_copy(update={"ttl": 60}))
    )
    twice = replace(plan, steps=(*earlier, lowering, further))
    move.stores[Place.DNS, "rrset"].write([lowering.change])
    outcome = apply(twice, move.hands(), lambda stage: {})
    assert outcome.already == (lowering.number,)
    assert [step.number for step in outcome.held] == [further.number]
    assert move.state()[MX.address] == LOWERED


def test_who_has_moved_meanwhile_gets_no_forward() -> None:
    """The first copy of the mail takes hours, and a date of the spec comes while it runs."""
    ann = {"address": "ann@example.org", "forward_to": "ann@old-box.example", "moved": "2026-03-02"}
    move = Move(Spec.model_validate(PLAIN | {"mailboxes": [ann]}), MX, checks=NO_CHECKS)
    move.clock.advance(datetime(2026, 3, 1, 23, 30, tzinfo=UTC) - move.clock.now())
    plan = move.plan(Stage.OVERLAP)

    def judge(stage: Stage) -> dict[Address, Step]:
        move.clock.advance(timedelta(hours=1))
        return of_stage(make_plan(move.spec, plan.stage, move.rules, move.world()), stage)

    outcome = apply(plan, move.hands(), judge)
    address = Address(Place.NEW, "sieve", "ann@example.org")
    assert address in {step.change.address for step in outcome.held}
    assert address not in move.state()
    left = move.plan(Stage.OVERLAP)
    assert address not in {step.change.address for step in left.steps}
    move.carry_out(left)
    assert move.plan(Stage.OVERLAP).steps == ()
