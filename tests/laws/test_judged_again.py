"""Law 13, a verdict is as old as its reading: what is written is what a plan made when its stage was entered wants.

Before each stage days pass, on which a date of the spec comes, and other hands change things.
"""

import contextlib
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.engine.apply import apply
from reconciler.errors import StalePlan
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.spec.spec import Spec
from tests.laws.hands import meddle
from tests.laws.strategies import foreign, specs, worlds
from tests.support.examples import examples
from tests.support.move import CHECKS, NO_CHECKS, Move, of_stage

laws = settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.integers(0, 4)


@st.composite
def dated(draw: st.DrawFn, spec: Spec, move: Move) -> Spec:
    """People of whom some move on one of these days."""
    today = move.clock.now().date()
    moves = st.one_of(st.booleans(), DAYS.map(lambda days: today + timedelta(days=days)))
    boxes = tuple(box.model_copy(update={"moved": draw(moves)}) for box in spec.mailboxes)
    return spec.model_copy(update={"mailboxes": boxes})


class Meanwhile(Move):
    """Looks again at each stage after days have passed and somebody has done or undone something."""

    def __init__(self, spec: Spec, *start: Resource, data: st.DataObject, **options: Any) -> None:
        super().__init__(spec, *start, **options)
        self.data = data
        self.wanted: dict[Stage, dict[Address, Change]] = {}

    def carried_out(self, plan: Plan) -> list[tuple[Stage, Change]]:
        """What was written, each with its stage; a plan that turned out stale has written what came before."""
        self.wanted = {}
        begun = len(self.journal.carried_out())
        with contextlib.suppress(StalePlan):
            apply(plan, self.hands(), lambda stage: self._look(plan, stage))
        return [(step.stage, step.change) for step in self.journal.carried_out()[begun:]]

    def _look(self, plan: Plan, stage: Stage) -> dict[Address, Step]:
        self.clock.advance(timedelta(days=self.data.draw(DAYS, "days that pass")))
        if self.data.draw(st.booleans(), "another hand"):
            meddle(self.data, self, plan.steps)
        now = of_stage(self.again(plan), stage)
        self.wanted[stage] = runnable(now)
        return now


def runnable(steps: dict[Address, Step]) -> dict[Address, Change]:
    return {address: step.change for address, step in steps.items() if step.verdict.status is Status.RUN}


def alike(written: Change, wanted: Change | None, state: dict[Address, Resource]) -> bool:
    """The same, or the same once the key that a record publishes is filled in."""
    if wanted == written:
        return True
    after = wanted.after if wanted else None
    if wanted is None or not isinstance(after, RRset) or not after.unknown:
        return False
    keys = {text for address in after.unknown if (key := state.get(address)) and (text := key.publishes())}
    known = {text for text in after.rdata if not text.startswith("${")}
    assert isinstance(written.after, RRset)
    return wanted.before == written.before and written.after.rdata == known | keys and written.after.ttl == after.ttl


@laws
@given(st.data(), st.sampled_from([stage for stage in Stage if stage > Stage.PREPARE]), st.booleans())
def test_nothing_is_written_that_a_plan_made_at_that_moment_does_not_want(data, target, checked) -> None:
    spec = data.draw(specs())
    spec = data.draw(dated(spec, Move(spec)))
    world = (*data.draw(worlds(spec)), *foreign(spec))
    move = Meanwhile(spec, *world, data=data, checks=CHECKS if checked else NO_CHECKS)
    plan = move.plan(target)
    if not plan.runnable:
        return
    for stage, change in move.carried_out(plan):
        assert alike(change, move.wanted[stage].get(change.address), move.state()), (stage, change)


@laws
@given(st.data(), st.sampled_from([stage for stage in Stage if stage > Stage.PREPARE]))
def test_what_was_held_back_meanwhile_is_brought_to_its_end_by_planning_again(data, target) -> None:
    spec = data.draw(specs())
    spec = data.draw(dated(spec, Move(spec)))
    move = Meanwhile(spec, *data.draw(worlds(spec)), *foreign(spec), data=data, checks=NO_CHECKS)
    if (plan := move.plan(target)).steps:
        move.carried_out(plan)
    move.clock.advance(timedelta(days=30))
    for _ in range(len(Stage)):
        move.apply(target)
    assert move.plan(target).steps == ()
    assert Address(Place.DNS, "rrset", f"{spec.owner} MX") in move.state()
