"""Flags that the user changed on the source, carried to copies in a Maildir that its own programs rename meanwhile."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from reconciler.mailcopy.files.delivery import Delivery
from reconciler.mailcopy.files.files import MaildirFiles
from reconciler.mailcopy.files.work import Books, Work, letters_for
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.flags import follow
from reconciler.mailcopy.model.maildir_name import FileName

_TURNS: Final = 3


class _Turn(NamedTuple):
    """``carried`` are settled; ``open``, by source number, want their copies renamed, which ``names`` has by theirs."""

    carried: list[Record]
    open: dict[int, Record]
    names: dict[int, FileName]


def follow_flags(work: Work, target: MaildirFiles, delivery: Delivery, books: Books) -> None:
    """Rename the copies and look whether it came to pass: what another program renamed meanwhile is tried again.

    What is still not so after some turns is left to the next pass.

    Raises:
        MachineFailed: the target cannot be read or written.
        JournalError: the ledger cannot be written.

    """
    changed: Mapping[int, Record] = {
        uid: record
        for uid, record in work.records.items()
        if record.fate is Fate.COPIED and (row := work.here.rows.get(uid)) and row.flags != record.flags
    }
    for last in (False,) * _TURNS + (True,):
        turn = _sorted_out(changed, work, delivery)
        books.note(work, turn.carried)
        if last or not turn.names:
            return
        delivery.rename(work.directory, work.there, turn.names)
        again = target.look().inside.get(work.mapped.raw)
        if again is None:
            return
        work.there.rows, work.there.places, work.there.keywords = again.rows, again.places, again.keywords
        changed = turn.open


def _sorted_out(changed: Mapping[int, Record], work: Work, delivery: Delivery) -> _Turn:
    turn = _Turn([], {}, {})
    for uid, record in changed.items():
        now = work.here.rows[uid].flags
        change = follow(record.flags, now)
        place = work.there.places.get(record.target_uid)
        if change is None or place is None:  # nothing that is followed, or the user has removed the message
            turn.carried.append(record._replace(flags=now))
            continue
        removed = {flag.lower() for flag in change.remove.split()}
        standing = work.there.rows[record.target_uid].flags.split()
        flags = " ".join([flag for flag in standing if flag.lower() not in removed] + change.add.split())
        name = place.name.with_flags(flags, letters_for(work, delivery, flags))
        if name == place.name:
            turn.carried.append(record._replace(flags=now))
        else:
            turn.open[uid] = record
            turn.names[record.target_uid] = name
    return turn
