"""One pass over the mail of a move: measured where that was never done, copied, judged if asked for."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from reconciler.app.copying.asked import Asked
from reconciler.app.copying.copied import Copied, CopyingBack
from reconciler.app.copying.ledger import last_passes, ledger_place, open_ledger
from reconciler.app.copying.one_pass import Pass
from reconciler.app.copying.orders import arrivals_since, jobs_of
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.app.copying.sizes import Before, measured
from reconciler.app.copying.turns import open_turns
from reconciler.app.move import Move
from reconciler.app.stopping import Stopping, unstoppable
from reconciler.errors import ReconcilerError
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.preview import Preview, preview_all
from reconciler.model.event import NOBODY, Events, Together
from reconciler.spec.copy import MailCopy


def copy_mail(
    move: Move,
    asked: Asked,
    events: Events = NOBODY,
    stopping: Stopping = unstoppable,
    *,
    verify: bool = False,
) -> Copied:
    """Copy, and with ``verify`` compare both sides anew. A mailbox that fails, or that another run has, stops no other.

    Raises:
        ReconcilerError: the spec has no section ``copy``, an address is no mailbox of it, or the ledger cannot be used.

    """
    section, asked = _section(move), _with_time(move, asked, events)
    clock, passes = move.clock, last_passes(move.path)
    with (
        closing(jobs_of(move)) as jobs,
        open_ledger(ledger_place(move.path), clock) as ledger,
        open_turns(move) as turns,
        stopping() as stop,
    ):
        copies, begun = measured(
            jobs.of(asked, clock.now().date(), ledger), section, Before(ledger, passes, clock), events, stop
        )
        events.tell(begun)
        heard = Together(begun.forecast, events)
        run = Pass(copies, section.parallel, Means(ledger, clock, heard), stop, ledger.passed, turns=turns)
        outcomes: list[Outcome] = []
        for outcome in run.outcomes(verify=verify):
            outcomes.append(outcome)
            heard.tell(MailboxThrough(outcome, len(outcomes), len(copies)))
        return Copied(tuple(outcomes), stop(), begun.forecast)


def preview_mail(move: Move, asked: Asked, events: Events = NOBODY) -> Sequence[Preview]:
    """Which folder of each mailbox would go where, in the order of the spec; nothing is written or remembered.

    Raises:
        ReconcilerError: the spec has no section ``copy``, or an address is no mailbox of it.

    """
    section, asked = _section(move), _with_time(move, asked, events)
    with closing(jobs_of(move)) as jobs, closing(SqlLedger("sqlite://", move.clock)) as nothing:
        copies = jobs.of(asked, move.clock.now().date(), nothing)
        order = [copy.key.account for copy in copies]
        return sorted(preview_all(copies, section.parallel), key=lambda each: order.index(each.key.account))


def _section(move: Move) -> MailCopy:
    if move.spec.mail_copy is None:
        raise ReconcilerError(
            f"{move.path} has no section copy, so nobody knows where the mail is: add one, as in "
            "'copy: {old: {host: imap.old.example}, new: {host: imap.new.example}}'"
        )
    return move.spec.mail_copy


def _with_time(move: Move, asked: Asked, events: Events) -> Asked:
    """On the way back: from when on the new server may have received."""
    if not asked.back:
        return asked
    with move.past() as past:
        since = arrivals_since(move.spec, past.histories())
    events.tell(CopyingBack(since))
    return replace(asked, since=since)
