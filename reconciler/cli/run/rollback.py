"""``reconciler rollback``."""

from pathlib import Path

from reconciler.app.clock import local
from reconciler.app.rolling_back import EVERYTHING, Selection, plan_back, roll_back
from reconciler.app.session import open_session
from reconciler.cli.exit_codes import Code, of_plan, of_round
from reconciler.cli.speech.formats import shown
from reconciler.cli.speech.manner import Manner
from reconciler.ports import Clock
from reconciler.render.text import Look


def run_rollback(
    path: Path, clock: Clock, manner: Manner, selection: Selection = EVERYTHING, *, plan_only: bool = False
) -> Code:
    """Undo a run, a stage and all later ones, or everything; with ``plan_only`` show what that would be.

    Raises:
        ReconcilerError: there is nothing to undo, or it could not be done.

    """
    console = manner.console
    if plan_only:
        with open_session(path, clock) as session:
            planned = plan_back(session, selection)
        look = Look(console.style, manner.verbose, local, f"{path} {selection}", planned.untouched)
        console.result(shown(planned.plan, manner.form, look))
        return of_plan(planned.plan)
    with manner.following(path, clock) as events, open_session(path, clock, events) as session:
        applied = roll_back(session, selection, manner.terms)
        if applied.plan.runnable:
            console.say(f"{path} still says stage: {session.move.spec.stage}, so the next apply goes there again")
    return of_round(applied.last)
