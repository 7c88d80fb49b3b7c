"""Messages of folders as rows: one burst of EXAMINE and FETCH for many folders at once.

EXAMINE and BODY.PEEK only: nothing here can change a flag on the server that is read.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.grammar import Fetched, fetched, quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.flags import EVERYTHING, Allowed, portable
from reconciler.mailcopy.model.message import IDENTITY_FIELDS, Identity, Row, identify
from reconciler.mailcopy.model.refusal import Meaning, meaning

_NUMBER = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)\r\n\Z", re.IGNORECASE)
_CODE = re.compile(rb"\* OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]", re.IGNORECASE)
_PERMANENT = re.compile(rb"\* OK \[PERMANENTFLAGS \(([^)]*)\)\]", re.IGNORECASE)
_ROW = re.compile(
    rb'\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\) INTERNALDATE "([^"]*)" RFC822\.SIZE (\d+)\)\r\n\Z', re.IGNORECASE
)
_FIELDS = " ".join(IDENTITY_FIELDS).upper().encode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list: all of each message from UID ``first`` on, and flags below it.

    ``rows`` False: nothing but where the folder stands. ``flags_since``: flags of what changed after that
    modification sequence; 0 asks for all flags, None for none.
    """

    raw: bytes
    first: int = 1
    flags_since: int | None = None
    rows: bool = True


@dataclass(slots=True)
class Listed:
    """One folder. ``flags`` by UID below ``first``; ``words`` are the server's if it would not open the folder.

    ``messages``: those that it held when it was opened, and those of ``rows`` that came since; what a server announces
    without a row belongs to the next pass. ``is_counted``: it is open, and what comes from now on is told by its UID.
    """

    raw: bytes
    messages: int = 0
    uidvalidity: int = 0
    uidnext: int = 0
    modseq: int = 0
    allowed: Allowed = EVERYTHING
    rows: list[Row] = field(default_factory=list)
    flags: dict[int, str] = field(default_factory=dict)
    words: str = ""
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Listings on the wire: nothing else that the session is told may be answered before they are heard."""

    wanted: tuple[Wanted, ...]
    tags: tuple[tuple[bytes, tuple[bytes, ...]], ...]


def list_folders(session: Session, wanted: Sequence[Wanted], *, writable: bool = False) -> list[Listed]:
    """Each folder in the order asked; all commands are sent first, so a mailbox costs one round trip.

    ``writable`` selects instead of examining, for the flags that the folder keeps.
    """
    return hear(session, ask(session, wanted, writable=writable))


def ask(session: Session, wanted: Sequence[Wanted], *, writable: bool = False) -> Asked:
    """Send the commands of ``list_folders``."""
    verb = b"SELECT " if writable else b"EXAMINE "
    tags = []
    for want in wanted:
        opening = session.wire.command(verb + quoted(want.raw))
        after = [session.wire.command(command, may_fail=True) for command in _fetches(session, want)]
        tags.append((opening, tuple(after)))
    return Asked(tuple(wanted), tuple(tags))


def hear(session: Session, asked: Asked) -> list[Listed]:
    """Read their answers."""
    listed = []
    for want, (opening, after) in zip(asked.wanted, asked.tags, strict=True):
        found = Listed(want.raw)
        for response in session.wire.until(opening, *after):
            if isinstance(response, list):
                _note(found, want, response)
            elif isinstance(response, Answer) and response.ok:
                found.is_counted = found.is_counted or (response.tag == opening and found.uidnext > 0)
            elif isinstance(response, Answer) and not response.ok and not found.words:
                found.words = response.words if response.tag == opening else f"listing: {response.words}"
        listed.append(found)
    return listed


def identities(session: Session, raw: bytes, uids: Collection[int]) -> Mapping[int, Identity]:
    """What tells the messages apart, by UID; one that vanished, or whose header the server refuses, is not in it.

    A NO to many says nothing of most of them: those that it left out are asked for one by one.
    """
    found: dict[int, Identity] = {}
    try:
        found.update(_identified(session, raw, uid_set.write(uids)))
    except CommandRefused:
        for uid in sorted(set(uids) - found.keys()):
            with suppress(CommandRefused):
                found.update(_identified(session, raw, [str(uid)]))
    return found


def _identified(session: Session, raw: bytes, sets: Iterable[str]) -> Iterator[tuple[int, Identity]]:
    item = b"(UID BODY.PEEK[HEADER.FIELDS (" + _FIELDS + b")])"
    for row in _fetch(session, raw, sets, item):
        if row.uid is not None and row.body is not None:
            yield row.uid, identify(row.body)


def still_there(session: Session, raw: bytes, uids: Collection[int] | None = None) -> set[int]:
    """Those of the UIDs, or of all, that the folder holds now.

    Raises:
        CommandRefused: the server does not tell; what it does not list is not gone.

    """
    sets = ["1:*"] if uids is None else uid_set.write(uids)
    return {row.uid for row in _fetch(session, raw, sets, b"(UID)") if row.uid is not None}


def _fetch(session: Session, raw: bytes, sets: Iterable[str], item: bytes) -> Iterator[Fetched]:
    """The rows of one folder; one set at a time, for many long commands ahead would fill the kernel's buffers."""
    session.wire.command(b"EXAMINE " + quoted(raw))
    for chosen in sets:
        tag = session.wire.command(b"UID FETCH " + chosen.encode() + b" " + item, may_fail=True)
        for response in session.wire.until(tag):
            if isinstance(response, list):
                if row := fetched(response):
                    yield row
            elif isinstance(response, Answer) and not response.ok and meaning(response.words) is not Meaning.LOST:
                raise CommandRefused(f"{session.server} does not list a folder: {response.words}", response.words)


def _fetches(session: Session, want: Wanted) -> list[bytes]:
    if not want.rows:
        return []
    commands = [b"UID FETCH %d:* (UID FLAGS INTERNALDATE RFC822.SIZE)" % want.first]
    if want.flags_since is not None and want.first > 1:
        known = b"UID FETCH 1:%d (UID FLAGS)" % (want.first - 1)
        condition = b" (CHANGEDSINCE %d)" % want.flags_since
        commands.append(known + (condition if want.flags_since and session.can("CONDSTORE") else b""))
    return commands


def _note(found: Listed, want: Wanted, parts: Parts) -> None:
    line = parts[0]
    if quick := _ROW.match(line):
        uid, flags, date, size = quick.groups()
        _add(
            found,
            want,
            Row(int(uid), portable(flags.decode("ascii", "replace")), date.decode("ascii", "replace"), int(size)),
        )
    elif number := _NUMBER.match(line):
        if number[2].upper() != b"EXISTS":
            found.messages -= 1
        elif not found.is_counted:
            found.messages = int(number[1])
    elif code := _CODE.match(line):
        setattr(found, {b"HIGHESTMODSEQ": "modseq"}.get(code[1].upper(), code[1].lower().decode()), int(code[2]))
    elif permanent := _PERMANENT.match(line):
        found.allowed = Allowed.of(permanent[1].decode("ascii", "replace").split())
    elif (row := fetched(parts)) and row.uid is not None and row.flags is not None:
        flags = portable(row.flags)
        if row.date is not None and row.size is not None:
            _add(found, want, Row(row.uid, flags, row.date, row.size))
        elif row.uid < want.first:
            found.flags[row.uid] = flags


def _add(found: Listed, want: Wanted, row: Row) -> None:
    """``N:*`` always gives the last message (RFC 3501, section 9, seq-range), so what is below N is passed over."""
    if row.uid >= want.first:
        found.rows.append(row)
        found.messages += found.is_counted and row.uid >= found.uidnext
