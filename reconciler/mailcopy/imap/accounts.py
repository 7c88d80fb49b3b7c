"""What became of each message of a folder, when a pass has come to its end or was cut short."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.identities import still_there
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.stored import check_stored
from reconciler.mailcopy.imap.work import Work
from reconciler.mailcopy.model.accounting import Fate, FolderAccount, Record, Refusal, Tally
from reconciler.mailcopy.model.ledger import FolderCounts

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

_LOOKS = 2
"""Times that the source is asked what is still there; the next pass asks again."""

_NO_TEXT = "the source lists the message and does not give its text"


class Accounts:
    """Counts the folders of one pass; both sessions are logged in."""

    def __init__(self, copy: MailboxCopy, source: Session, target: Session, ledger: "MailLedger") -> None:
        """Nothing is counted yet."""
        self._copy, self._source, self._target, self._ledger = copy, source, target, ledger

    def of(self, work: Work, *, limited: bool, others_passed: bool) -> FolderAccount:
        """Count; close the folder where nothing is left for the next pass.

        ``limited``: the day's volume ended it. ``others_passed``: messages have got through, so that one that ended a
        connection alone is the cause of it.
        """
        lane, listed = work.lane, work.listed
        if lane and lane.new:
            self._refuse(work, check_stored(self._copy, self._source, self._target, self._ledger, work))
        if others_passed or len(work.given_up) == 1:
            self._refuse(work, [Record(uid, Fate.REFUSED, words=said) for uid, said in work.given_up.items()])
        elif work.given_up:
            work.refusals.append(Refusal(work.title, 0, f"no message gets through: {min(work.given_up.values())}"))
        vanished = self._truly_vanished(work)
        counts = self._ledger.counts(work.state.number)
        whole = not any(not refusal.uid for refusal in work.refusals) and not (lane and lane.blocked)
        messages = listed.messages if not listed.words else max(work.here.messages, counts.held)
        if whole and counts.held + vanished > messages:
            counts = self._without_gone(work, counts)
        waiting = max(0, messages - counts.held - vanished)
        if whole and not waiting and counts.held + vanished == messages:
            self._close(work, counts, vanished)
        if lane and lane.blocked:
            work.refusals.append(Refusal(work.title, 0, lane.blocked))
        elif whole and waiting and not limited:
            work.refusals.append(Refusal(work.title, 0, _not_listed(waiting)))
        return account(work, counts, waiting=waiting, vanished=vanished)

    def _refuse(self, work: Work, records: Sequence[Record]) -> None:
        if records:
            self._ledger.record(work.state.number, records)
            work.refusals += [Refusal(work.title, record.uid, record.words) for record in records]

    def _truly_vanished(self, work: Work) -> int:
        """What the source gave no text for is gone only if it is not listed any more."""
        vanished = work.lane.vanished if work.lane else set()
        if not vanished:
            return 0
        try:
            kept = still_there(self._source, work.mapped.source.raw, vanished)
        except CommandRefused:
            kept = vanished
        self._refuse(work, [Record(uid, Fate.REFUSED, words=_NO_TEXT) for uid in sorted(kept)])
        return len(vanished - kept)

    def _without_gone(self, work: Work, counts: FolderCounts) -> FolderCounts:
        """The ledger knows more than the source holds: what is not listed any more is gone."""
        held = self._ledger.records(work.state.number).keys()
        words = ""
        for _ in range(_LOOKS):
            try:
                there = still_there(self._source, work.mapped.source.raw)
            except CommandRefused as error:
                words = error.words
                continue
            self._ledger.gone(work.state.number, held - there)
            return self._ledger.counts(work.state.number)
        work.notes.append(f"what is gone from the source is not known: {words}")
        return counts

    def _close(self, work: Work, counts: FolderCounts, vanished: int) -> None:
        listed = work.listed
        self._ledger.close_folder(
            replace(
                work.state,
                uidnext=max(listed.uidnext, work.here.uidnext, 1),
                messages=listed.messages - vanished,
                modseq=listed.modseq,
                copied=counts.fates.get(Fate.COPIED, 0),
                excluded=counts.fates.get(Fate.EXCLUDED, 0),
                refused=counts.fates.get(Fate.REFUSED, 0),
                top=counts.top,
                known=counts.known,
            )
        )


def part_of(work: Work, ledger: "MailLedger") -> FolderAccount:
    """A folder that the pass did not come to the end of: what stands on the target, and what is still to go."""
    counts = ledger.counts(work.state.number)
    return account(work, counts, waiting=max(0, work.here.messages - counts.held))


def account(work: Work, counts: FolderCounts, *, waiting: int, vanished: int = 0) -> FolderAccount:
    """The numbers, which add up whatever a server says."""
    lane = work.lane
    tally = Tally(
        count=counts.held + vanished + waiting,
        copied=counts.fates.get(Fate.COPIED, 0),
        vanished=vanished,
        excluded=counts.fates.get(Fate.EXCLUDED, 0),
        refused=counts.fates.get(Fate.REFUSED, 0),
        waiting=waiting,
        new=(lane.new if lane else 0) + work.recognised,
        recognised=work.recognised,
        octets=lane.octets if lane else 0,
    )
    refusals = (*work.refusals, *(lane.refusals if lane else ()))
    return FolderAccount(work.title, "/".join(work.mapped.target), tally, refusals, notes=tuple(work.told))


def _not_listed(number: int) -> str:
    return f"the source counts {number} more {'message' if number == 1 else 'messages'} than it lists"
