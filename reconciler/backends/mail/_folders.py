"""The target's folders made ready: those that are missing are created, and subscribed where the source's are."""

from collections.abc import Mapping, Sequence

from reconciler.backends.mail._grammar import quoted
from reconciler.backends.mail._listing import Listing, Status
from reconciler.backends.mail._wire import Answer
from reconciler.backends.mail.session import Session
from reconciler.backends.mail.survey import Survey, status_items
from reconciler.model.mail.mapping import FolderPlan

_AT_ONCE = 100


def make_ready(session: Session, plan: FolderPlan, there: Survey) -> tuple[Mapping[bytes, Status], Mapping[bytes, str]]:
    """Where every target folder of the plan stands, and the server's words against those it will not have.

    A folder that appeared meanwhile is taken as it is. Parents come before children; a server makes what lies between.
    """
    missing = list(dict.fromkeys(line.raw for line in plan.mapped if line.raw not in there.status))
    subscribed = {folder.raw for folder in there.folders if folder.subscribed}
    wanted = dict.fromkeys(line.raw for line in plan.mapped if line.source.subscribed and line.raw not in subscribed)
    listing = Listing(status=dict(there.status))
    refused: dict[bytes, str] = {}
    for start in range(0, len(missing), _AT_ONCE):  # most mailboxes: one round trip for everything
        few = missing[start : start + _AT_ONCE]
        words = _tell(session, few, [raw for raw in wanted if raw in few], listing)
        refused.update({raw: said for raw, said in words.items() if raw not in listing.status})
    _tell(session, [], [raw for raw in wanted if raw not in missing], listing)
    return listing.status, refused


def _tell(session: Session, new: Sequence[bytes], wanted: Sequence[bytes], listing: Listing) -> dict[bytes, str]:
    """Create and look at the new folders, subscribe the wanted ones; the first NO to a folder's CREATE or STATUS."""
    create = {session.wire.command(b"CREATE " + quoted(raw)): raw for raw in new}
    look = {session.wire.command(b"STATUS " + quoted(raw) + b" " + status_items(session)): raw for raw in new}
    subscribe = [session.wire.command(b"SUBSCRIBE " + quoted(raw)) for raw in wanted]
    words: dict[bytes, str] = {}
    asked = {**create, **look}
    for response in session.wire.until(*asked, *subscribe):
        if isinstance(response, list):
            listing.note(response)
        elif isinstance(response, Answer) and not response.ok and response.tag in asked:
            words.setdefault(asked[response.tag], response.words)
    return words
