"""What is asked about messages whose UIDs are known: what tells them apart, and whether they are there."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.grammar import Fetched, fetched, quoted
from reconciler.mailcopy.imap.rows import on_the_wire
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.message import IDENTITY_FIELDS, Identity, Row, header_of, identify
from reconciler.mailcopy.model.refusal import Meaning, meaning
from reconciler.mailcopy.model.suspects import Suspects

_FIELDS = " ".join(IDENTITY_FIELDS).upper().encode()
_ITEMS = (b"(UID BODY.PEEK[HEADER.FIELDS (" + _FIELDS + b")])", b"(UID BODY.PEEK[HEADER])")
"""What is asked of a server, and in plainer words if it refuses that."""


def identities(
    session: Session, raw: bytes, rows: Sequence[Row], suspects: Suspects | None = None
) -> Mapping[int, Identity]:
    """What tells the messages apart, by UID; one that vanished, or whose header the server refuses, is not in it.

    A NO to many says nothing of most of them: those that it left out are asked for one by one. What is under suspicion
    is asked for in its groups.
    """
    together, groups = suspects.parted(raw, rows) if suspects else (rows, [])
    found: dict[int, Identity] = {}
    for group in filter(None, (together, *groups)):
        uids = [row.uid for row in group]
        try:
            found.update(_identified(session, raw, uids, _ITEMS[0]))
        except CommandRefused:
            for uid in sorted(set(uids) - found.keys()):
                for item in _ITEMS:
                    with suppress(CommandRefused):
                        found.update(_identified(session, raw, [uid], item))
                    if uid in found:
                        break
    return found


def _identified(session: Session, raw: bytes, uids: Collection[int], item: bytes) -> Iterator[tuple[int, Identity]]:
    for row in _fetch(session, raw, uid_set.write(uids), item, uids):
        if row.uid is not None and row.header is not None:
            yield row.uid, identify(header_of(row.header))


def still_there(session: Session, raw: bytes, uids: Collection[int] | None = None) -> set[int]:
    """Those of the UIDs, or of all, that the folder holds now.

    Raises:
        CommandRefused: the server does not tell; what it does not list is not gone.

    """
    sets = ["1:*"] if uids is None else uid_set.write(uids)
    return {row.uid for row in _fetch(session, raw, sets, b"(UID)") if row.uid is not None}


def _fetch(
    session: Session, raw: bytes, sets: Iterable[str], item: bytes, about: Collection[int] = ()
) -> Iterator[Fetched]:
    """The rows of one folder; one set at a time, for many long commands ahead would fill the kernel's buffers."""
    with on_the_wire(session, raw, about):
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
