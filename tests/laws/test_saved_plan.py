"""Law 14, a saved plan can only hold back: what is done is in the plan made now and in the saved one, equal.

Between the two other hands change the world, and somebody edits the file.
"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.engine.apply import apply
from reconciler.engine.approved import NOT_APPROVED, approved
from reconciler.errors import StalePlan
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.codec import plan_digest
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Status
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from tests.laws.hands import meddle
from tests.laws.strategies import foreign, specs, worlds
from tests.support.examples import examples
from tests.support.move import CHECKS, KINDS, NO_CHECKS, Move, of_stage

laws = settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
THIEF = Alias(place=Place.NEW, name="ceo@example.org", targets=frozenset({"thief@evil.example"}))


@st.composite
def forged(draw: st.DrawFn, plan: Plan) -> Plan:
    """The plan as somebody who can write the file may leave it: every step runs, one says something else."""
    steps = [step.judged(RUN) for step in plan.steps]
    kind = draw(st.sampled_from(["nothing", "another value", "one more", "one less", "from another value"]))
    if kind == "one more":
        steps.append(Step(len(steps) + 1, plan.stage, Change(None, THIEF)))
    elif steps and kind != "nothing":
        at = draw(st.integers(0, len(steps) - 1))
        if kind == "one less":
            del steps[at]
        else:
            steps[at] = replace(steps[at], change=_edited(steps[at].change, before=kind == "from another value"))
    return replace(plan, steps=tuple(steps))


def _edited(change: Change, *, before: bool) -> Change:
    side = change.before if before else change.after
    match side:
        case RRset():
            other: Resource | None = side.model_copy(update={"ttl": side.ttl + 1})
        case Mailbox():
            other = side.model_copy(update={"password": 'command: sh -c "id >pwned"'})
        case _:
            return change
    return Change(other, change.after) if before else Change(change.before, other)


def told(change: Change, move: Move) -> tuple[object, ...]:
    """Address, before and after, with the keys that are known by now."""
    sides = (change.before, change.after)
    return (change.address, *(it.known(move.state()) if isinstance(it, RRset) else it for it in sides))


def written(move: Move) -> list[Change]:
    return [step.change for step in move.journal.carried_out()]


@laws
@given(st.data(), st.sampled_from(Stage), st.booleans())
def test_nothing_is_done_that_is_not_in_both_plans(data, target, checked) -> None:
    spec = data.draw(specs())
    move = Move(spec, *data.draw(worlds(spec)), *foreign(spec), checks=CHECKS if checked else NO_CHECKS)
    honest = move.plan(target)
    saved = data.draw(forged(honest))
    move.clock.advance(timedelta(days=data.draw(st.integers(0, 4))))
    for _ in range(data.draw(st.integers(0, 2))):
        meddle(data, move, honest.steps)
    start = move.state()
    first = move.plan(target)
    looks: list[Plan] = [first]

    def again(stage: Stage) -> dict[Address, Step]:
        looks.append(move.plan(target))
        return of_stage(approved(saved, looks[-1], move.state(), KINDS).plan, stage)

    try:
        held = approved(saved, first, start, KINDS)
    except StalePlan:
        return
    apply(held.plan, move.hands(), again)
    may_run = {told(step.change, move) for plan in looks for step in plan.runnable}
    approvals = {told(step.change, move) for step in saved.steps}
    for change in written(move):
        assert told(change, move) in approvals & may_run
    assert THIEF.address not in move.state()


@laws
@given(st.data(), st.sampled_from(Stage))
def test_an_honest_plan_is_done_whole_in_a_world_that_stands_still_and_again_without_harm(data, target) -> None:
    spec = data.draw(specs())
    move = Move(spec, *data.draw(worlds(spec)), *foreign(spec), checks=NO_CHECKS)
    saved = move.plan(target)
    apply(
        saved, move.hands(), lambda stage: of_stage(approved(saved, move.plan(target), move.state(), KINDS).plan, stage)
    )
    held = approved(saved, move.plan(target), move.state(), KINDS)
    assert held.plan.steps == ()
    assert [step.number for step in held.standing] == [step.number for step in sorted_by_address(saved)]


def sorted_by_address(plan: Plan) -> list[Step]:
    """The steps address by address, in the order in which each is first met."""
    order = {step.change.address: number for number, step in reversed(list(enumerate(plan.steps)))}
    return sorted(plan.steps, key=lambda step: (order[step.change.address], step.number))


@laws
@given(st.data(), st.sampled_from(Stage))
def test_what_was_not_approved_holds_back_what_comes_after_it(data, target) -> None:
    spec = data.draw(specs())
    move = Move(spec, *data.draw(worlds(spec)), *foreign(spec), checks=NO_CHECKS)
    plan = move.plan(target)
    if not plan.steps:
        return
    missing = data.draw(st.sampled_from(plan.steps))
    saved = replace(plan, steps=tuple(s for s in plan.steps if s.change.address != missing.change.address))
    held = approved(saved, plan, move.state(), KINDS).plan
    first = next(step for step in held.steps if step.change.address == missing.change.address)
    assert first.verdict == NOT_APPROVED
    later = [step for step in held.steps if step.number > first.number]
    assert all(
        s.verdict.status is not Status.RUN for s in later if s.stage is not first.stage or first.number in s.after
    )


@laws
@given(st.data(), st.sampled_from(Stage))
def test_the_digest_says_what_is_done_and_nothing_else(data, target) -> None:
    spec = data.draw(specs())
    move = Move(spec, *data.draw(worlds(spec)), *foreign(spec))
    plan = move.plan(target)
    move.clock.advance(timedelta(seconds=1))
    changes = [(s.change.address, s.change.before, s.change.after) for s in plan.steps]
    later = move.plan(target)
    same = [(s.change.address, s.change.before, s.change.after) for s in later.steps] == changes
    assert (plan_digest(later) == plan_digest(plan)) is same
    other = data.draw(forged(plan))
    same = [(s.change.before, s.change.after) for s in other.steps] == [change[1:] for change in changes]
    assert (plan_digest(other) == plan_digest(plan)) is same
