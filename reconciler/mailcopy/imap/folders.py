"""The target's folders made ready: those that are missing are created, and subscribed where the source's are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.listing import Wanted, ask, hear
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.survey import Survey, status_items
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model.flags import Allowed
from reconciler.mailcopy.model.mapping import FolderPlan

_AT_ONCE = 100


class Ready(NamedTuple):
    """By raw name: where each target folder of the plan stands, the words against it, what flags it keeps if new."""

    standing: Mapping[bytes, Status]
    refused: Mapping[bytes, str]
    allowed: Mapping[bytes, Allowed]


def make_ready(session: Session, plan: FolderPlan, there: Survey) -> Ready:
    """Make what is missing, and open it at once to see what flags it keeps: for most mailboxes that is one round trip.

    A folder that appeared meanwhile is taken as it is. Parents come before children; a server makes what lies between.
    """
    missing = list(dict.fromkeys(line.raw for line in plan.mapped if line.raw not in there.status))
    subscribed = {folder.raw for folder in there.folders if folder.subscribed}
    wanted = dict.fromkeys(line.raw for line in plan.mapped if line.source.subscribed and line.raw not in subscribed)
    listing = Listing(status=dict(there.status))
    refused: dict[bytes, str] = {}
    allowed: dict[bytes, Allowed] = {}
    for start in range(0, len(missing) or 1, _AT_ONCE):
        few = missing[start : start + _AT_ONCE]
        subscribe = [raw for raw in wanted if raw in few or (start == 0 and raw not in missing)]
        words = _tell(session, few, subscribe, listing, allowed)
        refused.update({raw: said for raw, said in words.items() if raw not in listing.status})
    return Ready(listing.status, refused, allowed)


def _tell(
    session: Session,
    new: Sequence[bytes],
    wanted: Sequence[bytes],
    listing: Listing,
    allowed: dict[bytes, Allowed],
) -> dict[bytes, str]:
    """Create and look at the new folders, subscribe the wanted ones; the first NO to a folder's CREATE or STATUS."""
    create = {session.wire.command(b"CREATE " + quoted(raw)): raw for raw in new}
    look = {session.wire.command(b"STATUS " + quoted(raw) + b" " + status_items(session)): raw for raw in new}
    subscribe = [session.wire.command(b"SUBSCRIBE " + quoted(raw)) for raw in wanted]
    opened = ask(session, [Wanted(raw, rows=False) for raw in new], writable=True)
    words: dict[bytes, str] = {}
    asked = {**create, **look}
    for response in session.wire.until(*asked, *subscribe):
        if isinstance(response, list):
            listing.note(response)
        elif isinstance(response, Answer) and not response.ok and response.tag in asked:
            words.setdefault(asked[response.tag], response.words)
    allowed.update({found.raw: found.allowed for found in hear(session, opened) if not found.words})
    return words
