"""Going back: what runs have written, taken from the journal, and put back as it stood before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.app.applying import DEFAULT_TERMS, Applied, Carrying, Terms
from reconciler.app.session import Session, Sight
from reconciler.engine.trail import Written
from reconciler.errors import JournalError, ReconcilerError
from reconciler.journal.records import BegunStep, StepState
from reconciler.journal.view import JournalView
from reconciler.model.address import Address
from reconciler.model.plan import Intent, Plan
from reconciler.model.run_event import Planned
from reconciler.model.stage import Stage


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be undone: one ``run``, a ``stage`` and all later ones, or (neither) everything."""

    run: int | None = None
    stage: Stage | None = None

    def __str__(self) -> str:
        """As the command line says it."""
        if self.run is not None:
            return f"--run {self.run}"
        return f"--stage {self.stage.label}" if self.stage else "--all"


EVERYTHING: Final = Selection()


def plan_back(session: Session, selection: Selection = EVERYTHING) -> Planned:
    """What would be put back; writes nothing.

    Raises:
        ReconcilerError: there is nothing to undo, or a server, the zone or the journal could not be read.

    """
    with session.move.past() as past:
        written = written_of(session, past, selection)
        sight = session.look(past)
        return Planned(session.plan_back(sight, written), sight.untouched)


def roll_back(session: Session, selection: Selection = EVERYTHING, terms: Terms = DEFAULT_TERMS) -> Applied:
    """Put back what stood before.

    Raises:
        ReconcilerError: there is nothing to undo, somebody did not agree, or it could not be done.

    """
    with session.move.past() as past:
        written = written_of(session, past, selection)
    with session.move.journal() as journal:
        sight = session.look_and_note(journal)

        def again() -> tuple[Sight, Plan]:
            later = session.look_and_note(journal)
            return later, session.plan_back(later, written_of(session, journal.past, selection))

        plan = session.plan_back(sight, written)
        return Carrying(session, journal, again, terms).carry_out(sight, plan)


def written_of(session: Session, past: JournalView, selection: Selection = EVERYTHING) -> list[Written]:
    """The writes that are to be undone, and what rollbacks have put back of them since; oldest first.

    Raises:
        ReconcilerError: there are none, or there is no such run.

    """
    known, run, first = [each.number for each in past.runs()], selection.run, selection.stage
    place = session.move.journal_place
    if not known:
        where = place if isinstance(place, Path) else "that the spec names"
        msg = (
            f"nothing is known that could be put back: the journal {where} has no run of {session.move.spec.domain}. "
            "If it was lost, restore it; without it nobody can say what is ours, so all that stands on the new server "
            "stays: `stage: prepare` and apply give the zone and the users' forwards back, and accounts can be removed "
            "by hand once no MX and no cache sends mail there"
        )
        raise JournalError(msg)
    if run is not None and run not in known:
        msg = f"there is no run {run}: the runs are {known[0]} to {known[-1]}; see `reconciler history`"
        raise ReconcilerError(msg)
    chosen = past.written_steps(
        runs=None if run is None else [run],
        stages=None if first is None else [stage for stage in Stage if stage >= first],
    )
    if run is None:
        chosen = tuple(_without_ways_back(past, chosen))
    return list(_with_later_rollbacks(past, chosen))


def _without_ways_back(past: JournalView, chosen: Sequence[BegunStep]) -> Iterator[BegunStep]:
    """What a rollback was the first to touch, such as an MX that somebody else had turned, is not put back again."""
    rollbacks = {each.number for each in past.runs() if each.intent is Intent.ROLLBACK}
    made: set[Address] = set()
    for step in chosen:
        if step.run not in rollbacks:
            made.add(step.change.address)
        if step.change.address in made:
            yield step


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
