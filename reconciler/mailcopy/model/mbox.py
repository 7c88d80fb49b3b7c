"""An mbox: messages one after the other, each behind a line ``From SENDER DATE``.

A message ends before an empty line that such a line follows, or where its Content-Length says, if such a line (or the
end) is there: programs that write a Content-Length leave ``From `` in the text as it is. The text is carried as it
stands, ``>From `` too, for nobody can tell who has put the mark there. What mail programs write about a message into
its header is taken out of it and read: these fields are no part of the message.

Source: RFC 4155; Dovecot 2.3, mbox mailbox format, whose choice of fields this is.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from reconciler.mailcopy.model.flags import portable

_DAYS: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_WHEN: Final = (
    _DAYS + rb",? +(" + b"|".join(_MONTHS) + rb") +(\d{1,2}) +(\d{1,2}):(\d\d)(?::(\d\d))?"
    rb"(?: +([A-Za-z][A-Za-z0-9-]*|[+-]\d{4}))? +(\d{4})(?: +([+-]\d{4}))?"
)
_LINE: Final = re.compile(rb"From [^\n]*?" + _WHEN + rb"[^\n]*\n")
_BETWEEN: Final = re.compile(rb"\n\r?\n(?=From [^\n]*?" + _WHEN + rb"[^\n]*\n)")
_LENGTH: Final = re.compile(rb"^Content-Length:[ \t]*(\d{1,12})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_ABOUT: Final = re.compile(
    rb"^(?P<name>Content-Length|Status|X-IMAP|X-IMAPbase|X-Keywords|X-Status|X-UID)[ \t]*:"
    rb"(?P<value>[^\n]*\n?(?:[ \t][^\n]*\n?)*)",
    re.MULTILINE | re.IGNORECASE,
)
_STATUS: Final = {"R": "\\Seen"}
_X_STATUS: Final = {"A": "\\Answered", "F": "\\Flagged", "T": "\\Draft", "D": "\\Deleted"}
_LONGEST_LINE: Final = 1000  # octets of a line From
_LONGEST_ANNOUNCED: Final = 256 * 1024 * 1024  # octets: what a sender has written there must not fill our memory


class Raw(NamedTuple):
    """A message as it stands in the file: where it begins, its line ``From`` and what follows up to the next one."""

    offset: int
    line: bytes
    text: bytes

    @property
    def length(self) -> int:
        """Octets in the file, the empty line behind it left out."""
        return len(self.line) + len(self.text)


class Letter(NamedTuple):
    """A message without what mail programs wrote about it. ``old``: a program has shown it to the user before."""

    text: bytes
    flags: str
    old: bool
    arrived: int | None
    internal: bool = False


def split(pieces: Iterable[bytes]) -> Iterator[Raw]:
    """The messages of a file that is given in pieces of any size.

    Raises:
        ValueError: it does not begin with a line ``From``.

    """
    buffer, offset, searched = bytearray(), 0, 0
    source = iter(pieces)
    whole = False
    while not (whole and not buffer):
        end = _end_of_first(buffer, searched, whole=whole) if buffer else None
        if end is None:
            searched = max(0, len(buffer) - _LONGEST_LINE)
            piece = next(source, None)
            whole = piece is None
            buffer += piece or b""
            continue
        text, following = end
        if not buffer.startswith(b"From "):
            msg = f"it has no line From at octet {offset}, so it is no mbox"
            raise ValueError(msg)
        line_end = buffer.find(b"\n") + 1 or text
        yield Raw(offset, bytes(buffer[:line_end]), bytes(buffer[line_end:text]))
        del buffer[:following]
        offset += following
        searched = 0


def _end_of_first(buffer: bytearray, searched: int, *, whole: bool) -> tuple[int, int] | None:
    """Where the text of the first message ends and the next message begins; None if more has to be read for that."""
    if (announced := _announced(buffer, whole=whole)) is not None:
        return announced or None
    found = _BETWEEN.search(buffer, searched)
    if found:
        return found.start() + 1, found.end()
    if not whole:
        return None
    for ending in (b"\n\r\n", b"\n\n"):
        if buffer.endswith(ending):
            return len(buffer) - len(ending) + 1, len(buffer)
    return len(buffer), len(buffer)


def _announced(buffer: bytearray, *, whole: bool) -> tuple[int, int] | tuple[()] | None:
    """By Content-Length; empty: not read so far yet; None: it says nothing, or something else than the file."""
    blank = re.compile(rb"\n\r?\n").search(buffer)
    if blank is None:
        return None if whole else ()
    length = _LENGTH.search(buffer, 0, blank.start() + 1)
    if length is None or int(length[1]) > _LONGEST_ANNOUNCED:
        return None
    end = blank.end() + int(length[1])
    if not whole and len(buffer) < end + _LONGEST_LINE:
        return ()
    rest = bytes(buffer[end : end + _LONGEST_LINE])
    for gap in (b"", b"\n", b"\r\n"):
        if rest == gap or (rest.startswith(gap) and _LINE.match(rest, len(gap))):
            return (end, end + len(gap)) if end <= len(buffer) else None
    return None


def letter(raw: Raw) -> Letter:
    """The message, and what its line ``From`` and its fields say of it."""
    blank = re.compile(rb"^\r?\n", re.MULTILINE).search(raw.text)
    end = blank.start() if blank else len(raw.text)
    head = raw.text[:end]
    about: dict[str, str] = {}
    for found in _ABOUT.finditer(head):
        about.setdefault(found["name"].decode().lower(), found["value"].decode("utf-8", "replace").strip())
    status, more = about.get("status", ""), about.get("x-status", "")
    flags = [_STATUS[c] for c in status if c in _STATUS] + [_X_STATUS[c] for c in more if c in _X_STATUS]
    flags += about.get("x-keywords", "").split()
    text = _ABOUT.sub(b"", head) + raw.text[end:]
    return Letter(text, portable(" ".join(flags)), "O" in status or "R" in status, moment(raw.line), "x-imap" in about)


def moment(line: bytes) -> int | None:
    """Seconds since 1970 of a line ``From``; without a zone it is this machine's time, as programs write it."""
    found = _LINE.match(line if line.endswith(b"\n") else line + b"\n")
    if found is None:
        return None
    month, day, hour, minute, second, zone, year, after = found.groups()
    try:
        when = datetime(  # noqa: DTZ001 - the zone is found out below
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), min(int(second or 0), 59)
        )
        return int(when.replace(tzinfo=_zone(after or zone)).timestamp())
    except (ValueError, OverflowError):
        return None


def _zone(name: bytes | None) -> timezone | None:
    if name and name[:1] in b"+-":
        offset = timedelta(hours=int(name[1:3]), minutes=int(name[3:5]))
        return timezone(-offset if name[:1] == b"-" else offset)
    return UTC if name in {b"UTC", b"GMT"} else None
