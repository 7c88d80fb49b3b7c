"""What a server says when a folder is opened and its messages are listed, heard response by response.

A row counts only after the folder's own EXAMINE was answered with OK: a server may keep the folder before open where it
refuses one. A message is a row with a UID, whatever else is missing in it, and in however many responses it comes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.grammar import Fetched, fetched
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model.flags import EVERYTHING, Allowed, lost, portable
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.suspects import Side, Spot

_NUMBER = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE)\r\n\Z", re.IGNORECASE)
_CODE = re.compile(rb"\* OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d{1,20})\]", re.IGNORECASE)
_PERMANENT = re.compile(rb"\* OK \[PERMANENTFLAGS \(([^)]*)\)\]", re.IGNORECASE)
_ROW = re.compile(
    rb'\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\) INTERNALDATE "([^"]*)" RFC822\.SIZE (\d{1,19})\)\r\n\Z', re.IGNORECASE
)


_UNCOUNTED = "the server opens it and does not tell how many messages there are"


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
    without a row belongs to the next pass. ``unlisted``: messages whose rows the server will not give, with its words.
    ``rows_refused`` and ``flags_refused``: why not all of them are known. ``odd_flags`` are no flags that could be set
    anywhere.
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
    rows_refused: str = ""
    flags_refused: str = ""
    unlisted: dict[int, str] = field(default_factory=dict)
    odd_flags: set[str] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was refused."""
        return not (self.words or self.rows_refused or self.flags_refused)


class Hearing:
    """The responses about one folder."""

    def __init__(self, session: Session, want: Wanted) -> None:
        """Nothing is heard yet."""
        self._session, self._want = session, want
        self._found = Listed(want.raw)
        self._open = self._counted = False
        self._announced = 0
        self._rows: list[Row] = []
        self._in_order = True
        self._parts: dict[int, Fetched] = {}

    def until(self, opening: bytes, *after: bytes) -> Listed:
        """What the folder holds, when the command that opens it and those after it are answered.

        ``after``: the command for rows, then the one for flags.

        Raises:
            ConnectionCut: with the folder, which was on the wire.

        """
        with on_the_wire(self._session, self._want.raw):
            for response in self._session.wire.until(opening, *after):
                if isinstance(response, list):
                    self.note(response)
                elif isinstance(response, Answer) and response.tag == opening:
                    self._open = response.ok
                    self._announced = self._found.messages
                    self._found.words = self._why_not(response)
                elif isinstance(response, Answer) and not response.ok:
                    which = "rows_refused" if response.tag == after[0] else "flags_refused"
                    setattr(self._found, which, response.words or "refused")
        return self.end()

    def _why_not(self, opening: Answer) -> str:
        """Why the folder is as good as closed; empty where it is open."""
        if not opening.ok:
            return opening.words or "refused"
        return "" if self._counted else _UNCOUNTED

    def note(self, parts: Parts) -> None:
        """Take one response in."""
        found, line = self._found, parts[0]
        if quick := _ROW.match(line):
            uid, flags, date, size = quick.groups()
            self._add(Row(int(uid), self._flags(_text(flags)), _text(date), int(size)))
        elif number := _NUMBER.match(line):
            self._count(int(number[1]), is_gone=number[2].upper() == b"EXPUNGE")
        elif code := _CODE.match(line):
            setattr(found, {b"HIGHESTMODSEQ": "modseq"}.get(code[1].upper(), code[1].lower().decode()), int(code[2]))
        elif permanent := _PERMANENT.match(line):
            found.allowed = Allowed.of(_text(permanent[1]).split())
        elif self._open and (row := fetched(parts)) and row.uid is not None:
            self._parts[row.uid] = row.beside(self._parts.get(row.uid))

    def opened(self) -> None:
        """From here on rows are the folder's."""
        self._open = True

    def end(self) -> Listed:
        """All that was heard; nothing of a folder that was not opened."""
        found, first = self._found, self._want.first
        known = {row.uid for row in self._rows} if self._parts else set()
        for uid, part in self._parts.items():
            flags = self._flags(part.flags or "")
            if uid >= first and self._want.rows and uid not in known:
                self._add(Row(uid, flags, part.date or "", part.size or 0))
            elif uid < first and part.flags is not None:
                found.flags[uid] = flags
        found.rows = self._rows if self._in_order else sorted({row.uid: row for row in self._rows}.values())
        if found.words:
            return Listed(found.raw, words=found.words)
        if not found.messages and not found.rows:
            found.rows_refused = found.flags_refused = ""  # servers refuse to list what is empty
        came = sum(row.uid >= found.uidnext for row in found.rows) if found.uidnext else 0
        found.messages += min(came, max(0, self._announced - found.messages))
        return found

    def _flags(self, flags: str) -> str:
        if odd := lost(flags):
            self._found.odd_flags |= odd
        return portable(flags)

    def _count(self, number: int, *, is_gone: bool) -> None:
        self._counted = True
        if is_gone:
            self._found.messages -= 1
            self._announced -= 1
        elif self._open:
            self._announced = number
        else:
            self._found.messages = self._announced = number

    def _add(self, row: Row) -> None:
        """``N:*`` always gives the last message (RFC 3501, section 9, seq-range), so what is below N is passed over."""
        if self._open and row.uid >= self._want.first:
            self._in_order = self._in_order and (not self._rows or row.uid > self._rows[-1].uid)
            self._rows.append(row)


class on_the_wire:  # noqa: N801 - read as a sentence: with on_the_wire(…)
    """What befalls the connection inside of it, befell it at this folder, or at these messages of it."""

    def __init__(self, session: Session, raw: bytes, uids: Iterable[int] = ()) -> None:
        """Know the place; messages are known by the source's UIDs alone."""
        self._spot = Spot(session.side, raw, tuple(uids) if session.side is Side.SOURCE else ())

    def __enter__(self) -> None:
        """Go on."""

    def __exit__(self, _kind: object, error: object, _where: object) -> None:
        """Tell the error."""
        if isinstance(error, ConnectionCut | ProtocolBroken) and error.spot is None:
            error.spot = self._spot


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")
