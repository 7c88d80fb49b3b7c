"""What is asked about messages whose UIDs are known: what tells them apart, and whether they are there."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.grammar import Fetched, fetched, quoted
from reconciler.mailcopy.imap.rows import on_the_wire
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.message import IDENTITY_FIELDS, Identity, header_of, identify
from reconciler.mailcopy.model.refusal import Meaning, meaning

_FIELDS = " ".join(IDENTITY_FIELDS).upper().encode()
_ITEMS = (b"(UID BODY.PEEK[HEADER.FIELDS (" + _FIELDS + b")])", b"(UID BODY.PEEK[HEADER])")
"""What is asked of a server, and in plainer words if it refuses that."""


def identities(session: Session, raw: bytes, uids: Collection[int]) -> Mapping[int, Identity]:
    """What tells the messages apart, by UID; one that vanished, or whose header the server refuses, is not in it.

    A NO to many says nothing of most of them: those that it left out are asked for one by one.
    """
    found: dict[int, Identity] = {}
    try:
        found.update(_identified(session, raw, uid_set.write(uids), _ITEMS[0]))
    except CommandRefused:
        for uid in sorted(set(uids) - found.keys()):
            for item in _ITEMS if uid not in found else ():
                with suppress(CommandRefused):
                    found.update(_identified(session, raw, [str(uid)], item))
                if uid in found:
                    break
    return found


def _identified(session: Session, raw: bytes, sets: Iterable[str], item: bytes) -> Iterator[tuple[int, Identity]]:
    for row in _fetch(session, raw, sets, item):
        if row.uid is not None and row.header is not None:
            yield row.uid, identify(header_of(row.header))


def still_there(session: Session, raw: bytes, uids: Collection[int] | None = None) -> set[int]:
    """Those of the UIDs, or of all, that the folder holds now.

    Raises:
        CommandRefused: the server does not tell; what it does not list is not gone.

    """
    sets = ["1:*"] if uids is None else uid_set.write(uids)
    return {row.uid for row in _fetch(session, raw, sets, b"(UID)") if row.uid is not None}


def _fetch(session: Session, raw: bytes, sets: Iterable[str], item: bytes) -> Iterator[Fetched]:
    """The rows of one folder; one set at a time, for many long commands ahead would fill the kernel's buffers."""
    with on_the_wire(session, raw):
        opening = session.wire.command(b"EXAMINE " + quoted(raw))
        for response in session.wire.until(opening):
            if isinstance(response, Answer) and not response.ok:
                raise CommandRefused(f"{session.server} does not open a folder: {response.words}", response.words)
        for chosen in sets:
            tag = session.wire.command(b"UID FETCH " + chosen.encode() + b" " + item)
            for response in session.wire.until(tag):
                if isinstance(response, list):
                    if row := fetched(response):
                        yield row
                elif isinstance(response, Answer) and not response.ok and meaning(response.words) is not Meaning.LOST:
                    raise CommandRefused(f"{session.server} does not list a folder: {response.words}", response.words)
