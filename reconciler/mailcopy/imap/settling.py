"""Batches in doubt: the connection was lost before the answer, so the server may have stored them, or still will.

A batch is stored when its own messages are seen, of the same size and date. That UIDNEXT has moved on says little:
ordinary mail moves it too, and a copy that a filter has forwarded has another size and date.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.listing import list_folders, rows_of
from reconciler.mailcopy.imap.rows import Wanted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.standing import Watched, stand
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.ledger import Doubt, FolderState
from reconciler.mailcopy.model.message import Row

_LOOK_EVERY = 0.25  # seconds

_SENT_WITHIN: Final = timedelta(hours=1)
"""No server is still storing a batch that was begun so long ago: it was sent, or cut, since."""

_Looks = Counter[tuple[int, int | None]]
"""How often messages of a size and moment of arrival stand there."""


def await_decision(
    source: Session, target: Watched, doubts: Sequence[Doubt], folders: Mapping[int, FolderState], means: Means
) -> Mapping[bytes, Status]:
    """Where the target folders of the batches stand once each is stored or can no longer be.

    Until its messages are seen the server gets ``settle``, counted from now: a process whose client is gone may still
    be storing what it has read. What was stored is then found by matching.
    """
    listing = Listing()
    known = [doubt for doubt in doubts if doubt.folder in folders]
    seeing = _Seeing(source, target, folders)
    end = means.clock.now() + means.patience.settle
    waiting = [doubt for doubt in known if means.clock.now() < doubt.begun + _SENT_WITHIN]
    raws = sorted({folders[doubt.folder].target for doubt in known})
    while raws:
        listing = Listing()
        stand(target, raws, listing)
        waiting = list(seeing.undecided(waiting, listing.status)) if means.clock.now() < end else []
        if not waiting:
            break
        means.sleep(_LOOK_EVERY)
    return listing.status


class _Seeing:
    """What of the batches is seen on the target; a folder is listed again when it has changed."""

    def __init__(self, source: Session, target: Watched, folders: Mapping[int, FolderState]) -> None:
        self._source, self._target, self._folders = source, target, folders
        self._sent: dict[int, _Looks] = {}
        self._listed: dict[bytes, tuple[Status, _Looks]] = {}

    def undecided(self, doubts: Sequence[Doubt], standing: Mapping[bytes, Status]) -> Iterator[Doubt]:
        """Those whose messages do not all stand there yet; one message stands for one only."""
        for number, state in self._folders.items():
            mine = [doubt for doubt in doubts if doubt.folder == number]
            status = standing.get(state.target)
            if not mine or status is None or status.uidvalidity != state.target_uidvalidity:
                continue
            left = self._seen(state, min(doubt.target_uidnext for doubt in mine), status)
            for doubt in mine:
                sent = self._looks_of(doubt, state)
                if sent.total() == len(doubt.uids) and sent <= left:
                    left -= sent
                else:
                    yield doubt

    def _looks_of(self, doubt: Doubt, state: FolderState) -> _Looks:
        """Of what was sent, as the source tells it; less where that is not known any more."""
        if doubt.number not in self._sent:
            self._sent[doubt.number] = _looks(rows_of(self._source, state.source, doubt.uids))
        return self._sent[doubt.number]

    def _seen(self, state: FolderState, first: int, status: Status) -> _Looks:
        """Of what has come to the target since the first of the batches was begun."""
        at, found = self._listed.get(state.target, (None, _Looks()))
        if at != status:
            (there,) = list_folders(self._target.session, [Wanted(state.target, first)], self._target.suspects)
            found = _looks(there.rows)
            self._listed[state.target] = status, found
        return _Looks(found)


def _looks(rows: Sequence[Row]) -> _Looks:
    return Counter((row.size, row.arrived) for row in rows if row.arrived is not None)
