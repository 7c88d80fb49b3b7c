"""Carrying a plan out: agree, write, read everything again; and go on with what waited for nothing but these writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.app.copying.turns import mailboxes_for
from reconciler.app.saved_plans import require_current, require_expected
from reconciler.app.session import Session, Sight
from reconciler.app.stopping import Stopping, unstoppable
from reconciler.engine.apply import Outcome, apply
from reconciler.engine.approved import Approved, approved
from reconciler.errors import ReconcilerError
from reconciler.model.address import Address
from reconciler.model.event import Event
from reconciler.model.plan import Plan, Step
from reconciler.model.run_event import Planned, RunBegun, RunEnded, StepsStanding
from reconciler.model.stage import Stage

if TYPE_CHECKING:
    from reconciler.journal.journal import DatabaseJournal

_MOST_ROUNDS: Final = len(Stage)  # more would mean that the plan never settles


def agreed(_plan: Plan) -> None:
    """Nobody is asked."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a plan is carried out.

    ``confirm`` is called before anything of a plan is written, and raises where nobody agrees. ``stopping``: whether
    to stop between two writes.
    """

    confirm: Callable[[Plan], None] = agreed
    stopping: Stopping = unstoppable


@dataclass(frozen=True, slots=True)
class Round:
    """A plan that was carried out. ``outcome`` is None where nothing of it could run; ``left``: what is left to do."""

    plan: Plan
    outcome: Outcome | None
    left: Plan

    @property
    def undone(self) -> bool:
        """Whether something that was written and read back no longer stands: something else changes it too."""
        return bool(self.left.runnable) and self.outcome is not None and not self.outcome.held


@dataclass(frozen=True, slots=True)
class Applied:
    """The rounds that it took, at least one."""

    rounds: tuple[Round, ...]

    @property
    def plan(self) -> Plan:
        """What was to be done at first."""
        return self.rounds[0].plan

    @property
    def last(self) -> Round:
        """The last round."""
        return self.rounds[-1]

    @property
    def left(self) -> Plan:
        """What is left to do."""
        return self.last.left

    @property
    def written(self) -> int:
        """How many steps were written."""
        return sum(len(each.outcome.written) for each in self.rounds if each.outcome)


@dataclass(frozen=True, slots=True)
class RoundEnded(Event):
    """Everything was read again after a run, or nothing of the plan could run."""

    round: Round


DEFAULT_TERMS: Final = Terms()


def apply_move(
    session: Session, terms: Terms = DEFAULT_TERMS, saved: Plan | None = None, *, expected: str | None = None
) -> Applied:
    """Plan and carry out what may run; with ``saved``, only what is in that plan too.

    ``expected``: the digest by which a plan was approved. Where it is that of the plan, nothing else is done either.

    Raises:
        StalePlan: a plan made now would do something else than was approved; nothing was written.
        ReconcilerError: somebody did not agree, a step could not be done, or a person stopped the run.

    """
    if saved:
        require_current(saved, session.move, session.digest)
    with session.move.journal() as journal:
        sight = session.look_and_note(journal)
        plan = session.plan(sight)
        if expected is not None:
            require_expected(saved or plan, expected)
        earlier = saved or (plan if expected is not None else None)

        def again() -> tuple[Sight, Plan]:
            later = session.look_and_note(journal)
            return later, session.plan(later, plan.stage)

        return Carrying(session, journal, again, terms, earlier).carry_out(sight, plan)


@dataclass(frozen=True, slots=True)
class Carrying:
    """How a plan of this session is carried out.

    ``again`` reads everything and plans once more; ``earlier``: the plan that was approved, beyond which nothing goes.
    """

    session: Session
    journal: "DatabaseJournal"
    again: Callable[[], tuple[Sight, Plan]]
    terms: Terms
    earlier: Plan | None = None

    def carry_out(self, sight: Sight, plan: Plan) -> Applied:
        """Do it, in as many rounds as it takes; the plan was made from what was seen.

        Raises:
            StalePlan: it would do something else than was approved; nothing was written.
            ReconcilerError: somebody did not agree, a step could not be done, or a person stopped the run.

        """
        events, rounds = self.session.events, list[Round]()
        held = self._held(sight, plan)
        if held.standing:
            events.tell(StepsStanding(held.standing))
        plan = held.plan
        while True:
            events.tell(Planned(plan, sight.untouched))
            rounds.append(self._round(plan))
            events.tell(RoundEnded(rounds[-1]))
            if not self._goes_on(rounds):
                return Applied(tuple(rounds))
            plan = rounds[-1].left

    def _round(self, plan: Plan) -> Round:
        if not plan.runnable:
            return Round(plan, None, plan)
        self.terms.confirm(plan)
        events = self.session.events
        try:
            with self.journal.lock as lock, self.terms.stopping() as asked:

                def stop() -> bool:
                    lock.require()  # long before the next write: a copy of mail may take days
                    return asked()

                events.tell(RunBegun(plan))
                with mailboxes_for(self.session.move, plan, events, stop) as turns:
                    outcome = apply(plan, self.session.hands(self.journal, stop, turns), self._judge)
        except ReconcilerError as error:
            events.tell(RunEnded(str(error)))
            raise
        events.tell(RunEnded())
        return Round(plan, outcome, self.again()[1])

    def _judge(self, stage: Stage) -> Mapping[Address, Step]:
        steps = self._held(*self.again()).plan.steps
        return {step.change.address: step for step in steps if step.stage is stage}

    def _held(self, sight: Sight, plan: Plan) -> Approved:
        if self.earlier is None:
            return Approved(plan, ())
        return approved(self.earlier, plan, sight.world.observed, self.session.rules.kinds)

    def _goes_on(self, rounds: list[Round]) -> bool:
        """Whether what was held back waited for nothing but what was written, and can run now."""
        last = rounds[-1]
        wrote = last.outcome is not None and bool(last.outcome.written)
        can_run = bool(last.left.runnable) and not last.undone
        return wrote and can_run and self.earlier is None and len(rounds) < _MOST_ROUNDS
