"""Carrying a plan out: agree, write, read everything again; and go on with what waited for nothing but these writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.app.saved_plans import require_current
from reconciler.app.session import Session
from reconciler.app.stopping import Stopping, unstoppable
from reconciler.engine.apply import Outcome, apply
from reconciler.errors import ReconcilerError
from reconciler.model.address import Address
from reconciler.model.event import Event
from reconciler.model.plan import Plan, Step
from reconciler.model.run_event import Planned, RunBegun, RunEnded
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


def apply_move(session: Session, terms: Terms = DEFAULT_TERMS, saved: Plan | None = None) -> Applied:
    """Plan and carry out what may run; with ``saved``, exactly that plan and nothing after it.

    Raises:
        StalePlan: the spec, or a resource, is not what the saved plan was made for.
        ReconcilerError: somebody did not agree, a step could not be done, or a person stopped the run.

    """
    if saved:
        require_current(saved, session.move, session.digest)
    with session.move.journal() as journal:
        session.note_name_servers(journal)
        sight = session.look(journal)
        plan = saved or session.plan(sight)

        def again() -> Plan:
            return session.plan(session.look(journal), plan.stage)

        return Carrying(session, journal, again, terms, exactly=saved is not None).carry_out(plan, sight.untouched)


@dataclass(frozen=True, slots=True)
class Carrying:
    """How a plan of this session is carried out; ``again`` reads everything and plans once more."""

    session: Session
    journal: "DatabaseJournal"
    again: Callable[[], Plan]
    terms: Terms
    exactly: bool = False

    def carry_out(self, plan: Plan, untouched: int | None) -> Applied:
        """Do it, in as many rounds as it takes.

        Raises:
            ReconcilerError: somebody did not agree, a step could not be done, or a person stopped the run.

        """
        events, rounds = self.session.events, list[Round]()
        while True:
            events.tell(Planned(plan, untouched))
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
            with self.journal.lock, self.terms.stopping() as stop:
                events.tell(RunBegun(plan))
                outcome = apply(plan, self.session.hands(self.journal, stop), self._judge)
        except ReconcilerError as error:
            events.tell(RunEnded(str(error)))
            raise
        events.tell(RunEnded())
        return Round(plan, outcome, self.again())

    def _judge(self, stage: Stage) -> Mapping[Address, Step]:
        return {step.change.address: step for step in self.again().steps if step.stage is stage}

    def _goes_on(self, rounds: list[Round]) -> bool:
        """Whether what was held back waited for nothing but what was written, and can run now."""
        last = rounds[-1]
        wrote = last.outcome is not None and bool(last.outcome.written)
        can_run = bool(last.left.runnable) and not last.undone
        return wrote and can_run and not self.exactly and len(rounds) < _MOST_ROUNDS
