"""The locks on the mailboxes of a move: a copy has them one by one, a run that changes accounts has them to its end."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from reconciler.app.copying.ledger import ledger_place, open_ledger
from reconciler.app.move import Move
from reconciler.errors import Interrupted, Locked
from reconciler.mailcopy.turns import ALONE, Turns
from reconciler.model.event import Events, Waiting
from reconciler.model.plan import Plan, Step
from reconciler.model.verdict import Status
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.resources.server.mailbox import Mailbox
from reconciler.wording.lists import listed

_COPIES: Final = (StoredMail.kind, ReturnedMail.kind)
_LOOK_EVERY: Final = 0.5  # seconds
_PATIENCE: Final = timedelta(minutes=10)
"""A batch of messages over a slow line, and a pause that a server has asked for, are over by then."""
_MOST_TOLD: Final = 5


@contextmanager
def open_turns(move: Move) -> Iterator[Turns]:
    """Kept in the journal's database, if machines share one, else in the ledger, which is this machine's alone.

    Raises:
        Locked: another machine copies the mail of this move.
        JournalError: they cannot be read or written.

    """
    place = move.journal_place
    if isinstance(place, Path):
        from reconciler.mailcopy.ledger.turns import LedgerTurns  # noqa: PLC0415 - only where mail is copied

        with open_ledger(ledger_place(move.path), move.clock), closing(LedgerTurns(ledger_place(move.path))) as turns:
            yield turns
        return
    from reconciler.journal.database import open_url  # noqa: PLC0415 - brings SQLAlchemy with it
    from reconciler.journal.turns import DatabaseTurns  # noqa: PLC0415 - as above

    with closing(open_url(place)) as database:
        database.prepare()
        with closing(DatabaseTurns(database, move.clock)) as shared:
            yield shared


@contextmanager
def mailboxes_for(
    move: Move,
    plan: Plan,
    events: Events,
    stop: Callable[[], bool],
    nap: Callable[[float], None] = time.sleep,
) -> Iterator[Turns]:
    """The mailboxes that a plan needs for itself, taken until the end; a copy of one is stopped after its batch.

    Raises:
        Locked: one was not given back in time; nothing of the plan was written.
        Interrupted: a person stopped it; as above.
        JournalError: the locks cannot be read or written.

    """
    needed = needed_by(plan) if move.spec.mail_copy else ()
    if not needed:
        yield ALONE
        return
    with open_turns(move) as turns:
        others = turns.take(needed)
        deadline = move.clock.now() + _PATIENCE
        told = ""
        while others:
            turns.wish(tuple(others), f"{plan.intent.value} of {move.spec.domain} needs the mailbox")
            if told != (told := _told(others)):
                events.tell(Waiting(f"{told}; it was asked to give the mailbox back after its batch"))
            if stop():
                raise Interrupted("stopped as asked, before anything was written")
            if move.clock.now() >= deadline:
                raise Locked(
                    f"{told}, and did not give it back for {_PATIENCE.seconds // 60} minutes. This plan changes that "
                    "account or copies its mail, and both at once could lose mail: wait until the other run has ended, "
                    "or stop it. Nothing of the plan was written"
                )
            nap(_LOOK_EVERY)
            others = turns.take(tuple(others))
        yield turns


def needed_by(plan: Plan) -> tuple[str, ...]:
    """The mailboxes whose account the plan may remove, or whose mail it may copy or take for copied, in this run."""
    found = (step.change.address.name for step in plan.steps if _may_run(step) and _needs_its_mailbox(step))
    return tuple(dict.fromkeys(found))


def _may_run(step: Step) -> bool:
    """What waits for no stated time may wait for the steps before it alone."""
    verdict = step.verdict
    return verdict.status is Status.RUN or (verdict.status is Status.WAIT and verdict.until is None)


def _needs_its_mailbox(step: Step) -> bool:
    change = step.change
    return change.address.kind in _COPIES or (change.address.kind == Mailbox.kind and change.after is None)


def _told(others: Mapping[str, str]) -> str:
    return listed((f"{account}: {who}" for account, who in others.items()), _MOST_TOLD)
