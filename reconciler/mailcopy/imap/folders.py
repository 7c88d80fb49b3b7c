"""The target's folders made ready: those that are missing are created, and subscribed where the source's are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.listing import ask, hear
from reconciler.mailcopy.imap.rows import Wanted
from reconciler.mailcopy.imap.standing import Watched, status_items
from reconciler.mailcopy.imap.survey import Survey
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.flags import Allowed
from reconciler.mailcopy.model.mapping import FolderPlan
from reconciler.mailcopy.model.suspects import Spot

_AT_ONCE = 100
_SUBSCRIBE = b"\r\nSUBSCRIBE "
"""In front of a folder's name where evidence is kept that its subscription, and not the folder, ends the connection."""


class Ready(NamedTuple):
    """By raw name: where each target folder of the plan stands, the words against it, what flags it keeps if new.

    ``unsubscribed``: the words against those that could not be subscribed.
    """

    standing: Mapping[bytes, Status]
    refused: Mapping[bytes, str]
    allowed: Mapping[bytes, Allowed]
    unsubscribed: Mapping[bytes, str]


def make_ready(target: Watched, plan: FolderPlan, there: Survey) -> Ready:
    """Make what is missing, and open it at once to see what flags it keeps: for most mailboxes that is one round trip.

    A folder that appeared meanwhile is taken as it is. Parents come before children; a server makes what lies between.

    Raises:
        ConnectionCut: with the folder that was on the wire.

    """
    missing = list(dict.fromkeys(line.raw for line in plan.mapped if line.raw not in there.status))
    subscribed = {folder.raw for folder in there.folders if folder.subscribed}
    wanted = dict.fromkeys(line.raw for line in plan.mapped if line.source.subscribed and line.raw not in subscribed)
    listing = Listing(status=dict(there.status))
    allowed: dict[bytes, Allowed] = {}
    unsubscribed: dict[bytes, str] = {}
    refused = {raw: said for raw in missing if (said := target.against(raw))}
    rivals = _rivals({line.raw for line in plan.mapped} | {folder.raw for folder in there.folders})
    groups = target.in_order(missing, _AT_ONCE) or [()]
    for number, few in enumerate(groups):
        here = [raw for raw in wanted if raw in few or (number == 0 and raw not in missing)]
        unsubscribed |= {raw: said for raw in here if (said := target.against(_SUBSCRIBE + raw))}
        also = [raw for raw in here if raw not in unsubscribed]
        against = _make(target, few, also, Making(listing, allowed, unsubscribed, rivals))
        refused.update({raw: words for raw, words in against.items() if raw not in listing.status})
    return Ready(listing.status, refused, allowed, {r: w for r, w in unsubscribed.items() if r in listing.status})


class Making(NamedTuple):
    """What is found out while folders are made.

    ``rivals``: names that a server which folds case takes for another one's, so that what it shows there is another.
    """

    listing: Listing
    allowed: dict[bytes, Allowed]
    unsubscribed: dict[bytes, str]
    rivals: frozenset[bytes]


def _rivals(raws: Iterable[bytes]) -> frozenset[bytes]:
    alike: dict[str, list[bytes]] = defaultdict(list)
    for raw in raws:
        alike[utf7.readable(raw).casefold()].append(raw)
    return frozenset(raw for group in alike.values() if len(group) > 1 for raw in group)


def _make(target: Watched, new: Sequence[bytes], subscribe: Sequence[bytes], found: Making) -> dict[bytes, str]:
    """Create, look at and open the new folders, subscribe the wanted ones; the first NO to a new folder."""
    session = target.session
    items = status_items(session)
    words: dict[bytes, str] = {}
    taken: set[bytes] = set()
    asked: dict[bytes, bytes] = {}
    subscriptions: dict[bytes, bytes] = {}
    answered: set[bytes] = set()
    try:
        create = {session.wire.command(b"CREATE " + quoted(raw)): raw for raw in new}
        asked |= create
        asked |= {session.wire.command(b"STATUS " + quoted(raw) + b" " + items): raw for raw in new}
        subscriptions |= {session.wire.command(b"SUBSCRIBE " + quoted(raw)): raw for raw in subscribe}
        opened = ask(session, [Wanted(raw, rows=False) for raw in new], writable=True)
        for response in session.wire.until(*asked, *subscriptions):
            if isinstance(response, list):
                found.listing.note(response)
            elif isinstance(response, Answer):
                answered.add(response.tag)
                if not response.ok and create.get(response.tag) in found.rivals:
                    taken.add(create[response.tag])
                if not response.ok and response.tag in asked:
                    words.setdefault(asked[response.tag], response.words or "refused")
                elif not response.ok and response.tag in subscriptions:
                    found.unsubscribed[subscriptions[response.tag]] = response.words or "refused"
    except (ConnectionCut, ProtocolBroken) as error:
        named = asked | {tag: _SUBSCRIBE + raw for tag, raw in subscriptions.items()}
        due = next((raw for tag, raw in named.items() if tag not in answered), None)
        error.spot = error.spot or (Spot(session.side, due) if due else None)
        raise
    for listed in hear(session, opened, target.suspects, writable=True):
        if listed.words or listed.raw in taken:
            found.listing.status.pop(listed.raw, None)
            words.setdefault(listed.raw, listed.words or "the target shows another folder by that name")
            continue
        found.allowed[listed.raw] = listed.allowed
        told = Status(listed.messages, listed.uidnext, listed.uidvalidity, listed.modseq)
        found.listing.status.setdefault(listed.raw, told)
    return words
