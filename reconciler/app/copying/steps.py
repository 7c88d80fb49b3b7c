"""Steps of a plan that copy mail: one pass over their mailboxes, compared where the plan wants it complete."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from reconciler.app.copying.asked import Asked
from reconciler.app.copying.carrier import Carrier
from reconciler.app.copying.ledger import ledger_place, open_ledger
from reconciler.app.copying.one_pass import Pass
from reconciler.app.copying.orders import arrivals_since, jobs_of
from reconciler.app.copying.outcome import BAD_GRADES, NOT_BEGUN, STOPPED, MailboxThrough, Outcome
from reconciler.app.move import Move
from reconciler.errors import Interrupted, NotYet, WriteError
from reconciler.mailcopy.job import Means, State
from reconciler.model.change import Change
from reconciler.model.grade import Difference, Grade
from reconciler.model.sighting import History
from reconciler.resources.mail.stored import StoredMail
from reconciler.wording.lists import listed, span
from reconciler.wording.printable import printable

_MOST_TOLD: Final = 5


def carry_mail(
    move: Move,
    changes: Sequence[Change],
    back: Mapping[str, History] | None,
    carrier: Carrier,
) -> None:
    """From the old server to the new one; with ``back``, what came since the cutover from the new one to the old.

    Raises:
        WriteError: some were not copied to the end, or compare badly; what was copied stands.
        NotYet: mail was found where the old server should have been quiet.
        Interrupted: a person stopped it; what was copied stands.
        JournalError: the ledger cannot be used.

    """
    once = {c.address.name for c in changes if isinstance(c.after, StoredMail) and not c.after.complete}
    names = [change.address.name for change in changes]
    since = arrivals_since(move.spec, back) if back is not None else None
    outcomes: list[Outcome] = []
    for verify, addresses in ((False, [n for n in names if n in once]), (True, [n for n in names if n not in once])):
        if addresses:
            asked = Asked(addresses, back=back is not None, since=since)
            outcomes += _passed(move, asked, carrier, verify=verify)
    if any(outcome.state in {STOPPED, NOT_BEGUN} for outcome in outcomes):
        msg = "stopped as asked; what was copied is in the ledger: apply again to go on from there"
        raise Interrupted(msg)
    approved = move.spec.mail_copy.approved if move.spec.mail_copy else ()
    bad = [outcome for outcome in outcomes if not _is_good(outcome, approved)]
    if bad:
        raise WriteError(_words(bad, len(outcomes), str(move.path)))
    silent = {c.address.name for c in changes if isinstance(c.after, StoredMail) and c.after.quiet}
    loud = [outcome.address for outcome in outcomes if outcome.address in silent and outcome.tally.sent]
    if loud:
        raise NotYet(
            f"mail still came to the old server, for {listed(loud)}: it was copied, and the "
            f"{span(move.spec.waits.quiet)} of silence begin anew; find out who delivers or writes there"
        )


def _passed(move: Move, asked: Asked, carrier: Carrier, *, verify: bool) -> list[Outcome]:
    assert move.spec.mail_copy is not None
    outcomes: list[Outcome] = []
    with closing(jobs_of(move)) as jobs, open_ledger(ledger_place(move.path), move.clock) as ledger:
        copies = jobs.of(asked, move.clock.now().date(), ledger)
        means = Means(ledger, move.clock, carrier.events)
        run = Pass(copies, move.spec.mail_copy.parallel, means, carrier.stop, ledger.passed, turns=carrier.turns)
        for outcome in run.outcomes(verify=verify):
            outcomes.append(outcome)
            carrier.events.tell(MailboxThrough(outcome, len(outcomes), len(copies)))
    return outcomes


def _is_good(outcome: Outcome, approved: Sequence[str]) -> bool:
    looked_into = outcome.grade is Grade.INVESTIGATE and outcome.address in approved
    return outcome.state == State.DONE and not outcome.unjudged and (outcome.grade not in BAD_GRADES or looked_into)


def _words(bad: Sequence[Outcome], number: int, path: str) -> str:
    told = [f"{outcome.address}: {_why(outcome)}" for outcome in bad[:_MOST_TOLD]]
    more = [f"and {len(bad) - _MOST_TOLD:,} more"] if len(bad) > _MOST_TOLD else []
    return (
        f"the mail of {len(bad):,} of {number:,} {'mailbox' if number == 1 else 'mailboxes'} is not all there yet, so "
        f"that nothing after it is done; the other mail is. {'; '.join([*told, *more])}. Mend it and apply again; "
        f"'reconciler copy {path} {bad[0].address} --verify' does this mailbox alone and lists every difference"
    )


def _why(outcome: Outcome) -> str:
    if outcome.grade in BAD_GRADES:
        unexplained = [difference for difference in outcome.differences if not difference.explained]
        return f"{outcome.grade.value} ({', '.join(map(_difference, unexplained[:_MOST_TOLD]))})"
    return printable(outcome.words or outcome.unjudged or outcome.state)


def _difference(difference: Difference) -> str:
    return f"{difference.count:,} {difference.kind.value} in {printable(difference.folder)}"
