"""Planning a move: everything is read, nothing is written."""

from reconciler.app.session import Session
from reconciler.model.run_event import Planned
from reconciler.model.stage import Stage


def plan_move(session: Session, stage: Stage | None = None) -> Planned:
    """The plan to the stage, or to that of the spec.

    Raises:
        ReconcilerError: a server, the zone or the journal could not be read.

    """
    with session.move.past() as past:
        sight = session.look(past)
        return Planned(session.plan(sight, stage), sight.untouched)
