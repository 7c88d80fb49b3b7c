"""Batches in doubt: the connection was lost before the answer, so the server may have stored them, or still will."""

from collections.abc import Mapping, Sequence

from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.standing import Watched, stand
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.ledger import Doubt, FolderState

_LOOK_EVERY = 0.25  # seconds


def await_decision(
    target: Watched,
    doubts: Sequence[Doubt],
    folders: Mapping[int, FolderState],
    means: Means,
) -> Mapping[bytes, Status]:
    """Where the target folders of the batches stand once each is stored or can no longer be.

    A batch is stored when UIDNEXT has moved on by its length. Otherwise the server gets ``settle`` since the batch was
    begun: a process whose client is gone may still be storing what it has read. What was stored is then found by
    matching.
    """
    listing = Listing()
    waiting = [doubt for doubt in doubts if doubt.folder in folders]
    while waiting:
        listing = Listing()
        raws = sorted({folders[doubt.folder].target for doubt in waiting})
        stand(target, raws, listing)
        now = means.clock.now()
        waiting = [
            doubt
            for doubt in waiting
            if (status := listing.status.get(folders[doubt.folder].target)) is not None
            and status.uidvalidity == folders[doubt.folder].target_uidvalidity
            and status.uidnext < doubt.target_uidnext + len(doubt.uids)
            and now < doubt.begun + means.patience.settle
        ]
        if waiting:
            means.sleep(_LOOK_EVERY)
    return listing.status
