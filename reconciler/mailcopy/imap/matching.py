"""What stands on the target already: copies of a lost ledger, of a batch in doubt, or made by the forward filter."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler.mailcopy.imap.identities import identities
from reconciler.mailcopy.imap.reading import Job, read_messages
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.model.batches import FEWEST, batches
from reconciler.mailcopy.model.matching import Text, match, pair_by_text
from reconciler.mailcopy.model.message import Identity, Row, text_digest, whole_digest
from reconciler.mailcopy.model.suspects import Suspects


class Shelf(NamedTuple):
    """Messages of one folder, and the connection to read them by."""

    session: Session
    raw: bytes
    rows: Sequence[Row]


def recognise(missing: Shelf, strangers: Shelf, suspects: Suspects | None = None) -> Mapping[int, int]:
    """Source UID to target UID of each message of ``missing`` that is one of ``strangers``.

    Date, size and header decide first; what they leave open is read on both sides and compared as text. ``suspects``:
    of the source's messages.
    """
    here = identities(missing.session, missing.raw, missing.rows, suspects)
    there = identities(strangers.session, strangers.raw, strangers.rows)
    found = match(missing.rows, strangers.rows, here, there)
    if not found.open_source:
        return found.pairs
    mine = _texts(missing, found.open_source, here, suspects)
    theirs = _texts(strangers, found.open_target, there)
    return {**found.pairs, **pair_by_text(mine, theirs)}


def _texts(
    shelf: Shelf, uids: Sequence[int], who: Mapping[int, Identity], suspects: Suspects | None = None
) -> list[Text]:
    now = datetime.now(UTC).timestamp()
    wanted = set(uids)
    rows = {row.uid: row for row in shelf.rows if row.uid in wanted}
    together, groups = suspects.parted(shelf.raw, list(rows.values())) if suspects else (list(rows.values()), [])
    jobs = deque(Job(shelf.raw, tuple(group)) for group in batches(together, FEWEST))
    jobs.extend(Job(shelf.raw, group, alone=True) for group in groups)
    return [
        Text(uid, who[uid], text_digest(body), _past(rows[uid].arrived, now), whole_digest(body))
        for brought in read_messages(shelf.session, jobs)
        for uid, body in sorted(brought.bodies.items())
        if body  # what has no octets never came over
    ]


def _past(arrived: int | None, now: float) -> int | None:
    return arrived if arrived is not None and arrived <= now else None
