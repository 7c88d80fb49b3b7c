"""``reconciler rollback``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.app.applying import Doing, Manner
from reconciler.app.clock import local
from reconciler.app.session import Session, open_session
from reconciler.cli.exit_codes import Code, of_plan
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.formats import TEXT, shown
from reconciler.engine.trail import Written
from reconciler.errors import JournalError, ReconcilerError
from reconciler.journal.records import BegunStep, StepState
from reconciler.journal.view import JournalView
from reconciler.model.plan import Intent, Plan
from reconciler.model.stage import Stage
from reconciler.ports import Clock
from reconciler.render.text import Look


def run_rollback(
    path: Path,
    clock: Clock,
    console: Console,
    *,
    run: int | None = None,
    stage: str | None = None,
    plan_only: bool = False,
    yes: bool = False,
    form: str = TEXT,
    as_json: bool = False,
    verbose: bool = False,
) -> Code:
    """Undo a run, a stage and all later ones, or (neither given) everything.

    Raises:
        ReconcilerError: there is nothing to undo, or it could not be done.

    """
    first = Stage.of(stage) if stage else None
    with open_session(path, clock) as session:
        with session.move.past() as past:
            written = written_of(session, past, run, first)
            if plan_only:
                sight = session.look(past)
                plan = session.plan_back(sight, written)
                look = Look(console.style, verbose, local, f"{path} {_selection(run, stage)}", sight.untouched)
                console.result(shown(plan, form, look))
                return of_plan(plan)
        with session.move.journal() as journal:
            session.note_name_servers(journal)
            sight = session.look(journal)

            def again() -> Plan:
                return session.plan_back(session.look(journal), written_of(session, journal.past, run, first))

            manner = Manner(sure=yes, as_json=as_json, form=form, verbose=verbose)
            plan = session.plan_back(sight, written)
            code = Doing(session, journal, plan, again, sight.untouched, console, manner).carry_out()
        if plan.runnable:
            console.say(f"{path} still says stage: {session.move.spec.stage}, so the next apply goes there again")
        return code


def written_of(
    session: Session, past: JournalView, run: int | None = None, first: Stage | None = None
) -> list[Written]:
    """The writes of a run, or of a stage and all later ones, or all; oldest first.

    Raises:
        ReconcilerError: there are none, or there is no such run.

    """
    known = [each.number for each in past.runs()]
    place = session.move.journal_place
    if not known:
        where = place if isinstance(place, Path) else "that the spec names"
        msg = f"nothing is known that could be put back: the journal {where} has no run of {session.move.spec.domain}"
        raise JournalError(msg)
    if run is not None and run not in known:
        msg = f"there is no run {run}: the runs are {known[0]} to {known[-1]}; see `reconciler history`"
        raise ReconcilerError(msg)
    chosen = past.written_steps(
        runs=None if run is None else [run],
        stages=None if first is None else [stage for stage in Stage if stage >= first],
    )
    return list(_with_later_rollbacks(past, chosen))


def _with_later_rollbacks(past: JournalView, chosen: Sequence[BegunStep]) -> Iterator[Written]:
    """What was chosen, and what rollbacks have put back since at the same addresses, in the order of the journal."""
    addresses = {step.change.address for step in chosen}
    oldest = min((step.run for step in chosen), default=0)
    rollbacks = {each.number for each in past.runs() if each.intent is Intent.ROLLBACK and each.number > oldest}
    keys = {(step.run, step.number) for step in chosen}
    for step in past.written_steps():
        asked = (step.run, step.number) in keys
        if asked or (step.run in rollbacks and step.change.address in addresses):
            yield Written(step.stage, step.change, sure=step.state is StepState.DONE, asked=asked)


def _selection(run: int | None, stage: str | None) -> str:
    if run is not None:
        return f"--run {run}"
    return f"--stage {stage}" if stage else "--all"
