"""Whether the target has done what it said: OK to an APPEND is a word, and some servers drop what they took.

Where as many messages are there as were taken, under just the UIDs that were told, nothing more is asked.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.identities import still_there
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.listing import list_folders
from reconciler.mailcopy.imap.matching import Shelf, recognise
from reconciler.mailcopy.imap.rows import Wanted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.work import Work
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.message import Row

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

_DROPPED = "the target said OK to the message and does not show it"


def check_stored(
    copy: MailboxCopy, source: Session, target: Session, ledger: "MailLedger", work: Work
) -> Sequence[Record]:
    """Find the copies of this pass under other UIDs than were told; gives the records of those that are not there."""
    lane = work.lane
    if lane is None or lane.as_told:
        return ()
    raw = work.mapped.raw
    try:
        present = still_there(target, raw)
    except CommandRefused as error:
        work.notes.append(f"whether the target has stored all that it took is not known: {error.words}")
        return ()
    known = ledger.flags(work.state.number, [row.uid for row in work.missing])
    told = [record.target_uid for record in known.values()]
    if len(set(told)) == len(told) and set(told) <= present and all(uid >= lane.start for uid in told):
        return ()  # others have delivered between our messages
    rows = [row for row in work.missing if row.uid in known]
    ledger.record(work.state.number, [Record(row.uid, Fate.COPIED, 0, row.flags) for row in rows])
    pairs = _found(copy, source, target, ledger, work, rows)
    records = [Record(row.uid, Fate.COPIED, pairs[row.uid], row.flags) for row in rows if row.uid in pairs]
    ledger.record(work.state.number, records)
    new = len([uid for uid in present if uid >= lane.start]) if lane.start else len(present) - lane.held
    short = max(0, len(rows) - new)
    absent = [row for row in rows if row.uid not in pairs][:short] if short else []
    return [Record(row.uid, Fate.REFUSED, words=_DROPPED) for row in absent]


def _found(  # noqa: PLR0917 - both sides as they are
    copy: MailboxCopy, source: Session, target: Session, ledger: "MailLedger", work: Work, rows: Sequence[Row]
) -> dict[int, int]:
    """Source UID to target UID, by what the messages are."""
    (there,) = list_folders(target, [Wanted(work.mapped.raw)])
    ours = ledger.target_uids(copy.key, work.mapped.raw, work.state.target_uidvalidity)
    strangers = [row for row in there.rows if row.uid not in ours]
    return dict(recognise(Shelf(source, work.mapped.source.raw, rows), Shelf(target, work.mapped.raw, strangers)))
