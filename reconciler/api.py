"""The library: plan, apply, roll back, copy and check a move from Python. The one public face of the package.

What stands here stays from one minor version to the next; everything else may move. A move is opened from its spec::

    from reconciler.api import open_move

    with open_move("migration.yaml") as move:
        plan = move.plan()
        if plan.runnable:
            applied = move.apply(plan)
            print(applied.written, "written;", len(applied.left.steps), "left")

Nothing is printed, no signal is caught and no setting of the process is changed. Whoever wants to hear how it goes
gives ``events``; ``logging`` has more under the logger ``reconciler``. Every error is a ReconcilerError.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.app.applying import Applied, Round, RoundEnded, Terms, agreed, apply_move
from reconciler.app.clock import SystemClock
from reconciler.app.copying.asked import Asked
from reconciler.app.copying.before import Measured, Measuring, PassBegun
from reconciler.app.copying.copied import Copied, CopyingBack
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.app.move import Move, problems_of
from reconciler.app.planning import plan_move
from reconciler.app.rolling_back import EVERYTHING, Selection, plan_back, roll_back
from reconciler.app.saved_plans import read, save
from reconciler.app.session import Session, session_of
from reconciler.app.status import MoveStatus, status_of
from reconciler.errors import Problem, ReconcilerError
from reconciler.journal.records import Run
from reconciler.mailcopy.job import Progress
from reconciler.model.event import NOBODY, Event, Events, Hearer, Together, Waiting
from reconciler.model.plan import Finding, Plan, Step
from reconciler.model.run_event import (
    Planned,
    RunBegun,
    RunEnded,
    StepFoundDone,
    StepHeld,
    StepsBegun,
    StepsDone,
    StepsPutOff,
    StepsStanding,
)
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.ports import Clock
from reconciler.spec.spec import Spec

if TYPE_CHECKING:
    from reconciler.mailcopy.preview import Preview

__all__ = [
    "NOBODY",
    "Applied",
    "Clock",
    "Copied",
    "CopyingBack",
    "Event",
    "Events",
    "Finding",
    "Hearer",
    "MailboxThrough",
    "Measured",
    "Measuring",
    "MoveStatus",
    "OpenMove",
    "Outcome",
    "PassBegun",
    "Plan",
    "Planned",
    "Problem",
    "Progress",
    "ReconcilerError",
    "Round",
    "RoundEnded",
    "Run",
    "RunBegun",
    "RunEnded",
    "Selection",
    "Spec",
    "Stage",
    "Status",
    "Step",
    "StepFoundDone",
    "StepHeld",
    "StepsBegun",
    "StepsDone",
    "StepsPutOff",
    "StepsStanding",
    "Together",
    "Waiting",
    "open_move",
    "problems_of",
]


logging.getLogger("reconciler").addHandler(logging.NullHandler())  # else Python would print warnings


def _never() -> bool:
    return False


class OpenMove:
    """One move. Products are opened when they are first needed; one thread at a time uses it.

    Every method raises ReconcilerError where something cannot be read, is refused or fails; its text says what to do.
    """

    def __init__(self, move: Move, at_the_end: ExitStack, events: Events) -> None:
        """Made by ``open_move``."""
        self._move, self._at_the_end, self._events = move, at_the_end, events

    @property
    def spec(self) -> Spec:
        """What the file says."""
        return self._move.spec

    def plan(self, stage: Stage | None = None) -> Plan:
        """The changes that lead to the stage of the spec, or to this one; writes nothing."""
        return plan_move(self._session, stage).plan

    def check(self, stage: Stage | None = None) -> Sequence[Finding]:
        """What each check answers on the way there, warnings and failures among them; writes nothing."""
        return self.plan(stage).findings

    def status(self) -> MoveStatus:
        """Where the move stands, what caches may still hold, who has not moved, and what is next; writes nothing."""
        return status_of(self._session)

    def runs(self) -> Sequence[Run]:
        """What the journal knows of earlier runs, the oldest first; contacts no server."""
        with self._move.past() as past:
            return tuple(past.runs())

    def apply(
        self,
        saved: Plan | None = None,
        *,
        expected: str | None = None,
        confirm: Callable[[Plan], None] = agreed,
        stop: Callable[[], bool] = _never,
    ) -> Applied:
        """Carry out what may run, read everything again, and go on with what waited for nothing but these changes.

        With ``saved``, only what is both in that plan and in one made now; ``expected``: the digest by which a plan was
        approved, else nothing is done. ``confirm`` is called with each plan before anything of
        it is written, and raises to refuse it. ``stop`` is asked between two writes.
        """
        return apply_move(self._session, _terms(confirm, stop), saved, expected=expected)

    def plan_back(self, selection: Selection = EVERYTHING) -> Plan:
        """What a rollback would put back; writes nothing."""
        return plan_back(self._session, selection).plan

    def roll_back(
        self,
        selection: Selection = EVERYTHING,
        *,
        confirm: Callable[[Plan], None] = agreed,
        stop: Callable[[], bool] = _never,
    ) -> Applied:
        """Put back what stood before a run, before a stage and all later ones, or before the whole move."""
        return roll_back(self._session, selection, _terms(confirm, stop))

    def copy(
        self,
        addresses: Sequence[str] = (),
        *,
        verify: bool = False,
        back: bool = False,
        retry_refused: bool = False,
        stop: Callable[[], bool] = _never,
    ) -> Copied:
        """One pass over the mail of all mailboxes, or of these; with ``verify`` both sides are compared anew.

        ``back``: from the new server to the old one, what arrived since the cutover. ``stop`` is asked between two
        batches of messages.
        """
        from reconciler.app.copying.worker import copy_mail  # noqa: PLC0415 - brings imapclient with it

        asked = Asked(tuple(addresses), back=back, retry_refused=retry_refused)
        return copy_mail(self._move, asked, self._events, lambda: nullcontext(stop), verify=verify)

    def preview(self, addresses: Sequence[str] = (), *, back: bool = False) -> Sequence["Preview"]:
        """Which folder of each mailbox would go where, and why; writes nothing."""
        from reconciler.app.copying.worker import preview_mail  # noqa: PLC0415 - brings imapclient with it

        return preview_mail(self._move, Asked(tuple(addresses), back=back), self._events)

    def save(self, plan: Plan, file: str | PathLike[str]) -> None:
        """Keep a plan for review; ``reconciler apply FILE`` and ``apply(saved)`` do nothing beyond it."""
        save(plan, self._move.path, Path(file))

    def saved(self, file: str | PathLike[str]) -> Plan:
        """A plan that was kept."""
        return read(Path(file))[0]

    @cached_property
    def _session(self) -> Session:
        return self._at_the_end.enter_context(session_of(self._move, self._events))


@contextmanager
def open_move(spec: str | PathLike[str], *, events: Events = NOBODY, clock: Clock | None = None) -> Iterator[OpenMove]:
    """Read a spec; at the end all connections are closed.

    Raises:
        SpecError: with every problem of the spec; nothing was contacted.

    """
    move = Move.load(Path(spec), clock or SystemClock())
    with ExitStack() as at_the_end:
        yield OpenMove(move, at_the_end, events)


def _terms(confirm: Callable[[Plan], None], stop: Callable[[], bool]) -> Terms:
    return Terms(confirm, lambda: nullcontext(stop))
