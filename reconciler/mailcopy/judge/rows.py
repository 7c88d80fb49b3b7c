"""FETCH responses read by the names of their items (RFC 3501, section 7.4.2): each stands for itself.

The ordinary row goes through a pattern, for a mailbox has very many; every other through the lexer.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.judge.lexer import Item, Unreadable, one_list
from reconciler.mailcopy.model.flags import SYSTEM
from reconciler.mailcopy.model.gmail import IMPORTANT

_LISTED: Final = re.compile(
    rb"\* (\d+) FETCH \((?:(?:UID (\d+)|FLAGS \(([^()\"{]*)\)|INTERNALDATE \"([^\"\\]*)\"|RFC822\.SIZE (\d+)"
    rb"|X-GM-LABELS \(((?:[^()\"{]|\"(?:[^\"\\]|\\.)*\")*)\)) ?)+\)\r?\n\Z",
    re.IGNORECASE,
)
_IMPORTANT: Final = re.compile(rb'(?:\A| )(?:"\\\\Important"|\\Important)(?= |\Z)', re.IGNORECASE)
_BROUGHT: Final = re.compile(rb'\* (\d+) FETCH \(UID (\d+) BODY\[([^\]"{<]*)\] \Z', re.IGNORECASE)
_FETCH: Final = re.compile(rb"\* (\d+) FETCH ?(?=\()", re.IGNORECASE)
_FLAGS: Final = re.compile(rb'\A((?:[^"]|"(?:[^"\\]|\\.)*")*?[ (])FLAGS \(([^()]*)\)', re.IGNORECASE | re.DOTALL)
_UID: Final = re.compile(rb"[ (]UID (\d+)", re.IGNORECASE)
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_END: Final = frozenset({b")\r\n", b")\n"})
_SYSTEM: Final = {flag.lower(): flag for flag in SYSTEM}
_NAMES: Final = frozenset({b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"X-GM-LABELS", b"X-MAILBOX", b"MODSEQ"})


class Told(NamedTuple):
    """What one response says of a message; None where it is silent, or says what cannot be.

    ``header`` and ``text`` are what stands behind ``BODY[HEADER…]`` and ``BODY[]``. ``is_whole``: every item of the
    row could be read.
    """

    sequence: int
    uid: int | None = None
    flags: frozenset[str] | None = None
    date: str | None = None
    size: int | None = None
    header: bytes | None = None
    text: bytes | None = None
    mailbox: bytes | None = None
    is_whole: bool = True


def read_row(parts: Parts) -> Told | None:
    """A FETCH response, its items in any order; None for any other response."""
    if len(parts) == 1:
        if listed := _LISTED.match(parts[0]):
            number, uid, flags, date, size, labels = listed.groups()
            known = None if flags is None else flag_set(flags)
            return Told(
                int(number),
                None if uid is None else int(uid),
                _with_importance(known) if labels and _IMPORTANT.search(labels) else known,
                None if date is None else date.decode("latin-1"),
                None if size is None else int(size),
            )
    elif len(parts) == 3 and parts[2] in _END and (brought := _BROUGHT.match(parts[0])):  # noqa: PLR2004 - one literal
        number, uid, section = brought.groups()
        return _told_of_section(Told(int(number), int(uid)), section.upper(), parts[1])
    fetch = _FETCH.match(parts[0])
    return _by_name(int(fetch[1]), parts, fetch.end()) if fetch else None


@lru_cache(maxsize=4096)
def flag_set(flags: bytes) -> frozenset[str]:
    """Flags in one spelling, for their case says nothing; without Recent, which belongs to a session."""
    found = (flag.lower() for flag in flags.decode("utf-8", "replace").split())
    return frozenset(_SYSTEM.get(flag, flag) for flag in found if flag != "\\recent")


def _with_importance(flags: frozenset[str] | None) -> frozenset[str]:
    """Gmail tells importance by a label, others by a keyword."""
    return (flags or frozenset()) | {IMPORTANT.lower()}


def _by_name(number: int, parts: Parts, start: int) -> Told:
    flags, rest = _without_flags([parts[0][start:], *parts[1:]])
    try:
        items = one_list(rest)
    except Unreadable:
        uid = next((found for text in rest[::2] if (found := _UID.search(_STRING.sub(b"", text)))), None)
        return Told(number, int(uid[1]) if uid else None, flags, is_whole=False)
    told = Told(number, flags=flags)
    for name, value in _items(items):
        told = _told_of_item(told, name, value, rest[1::2])
    return told


def _without_flags(parts: Parts) -> tuple[frozenset[str] | None, Parts]:
    """The flags are cut out first: a keyword may hold what the lexer takes for a bracket, a string or an item."""
    for place in range(0, len(parts), 2):
        if found := _FLAGS.match(parts[place]):
            rest = found[1] + parts[place][found.end() :].lstrip(b" ")
            return flag_set(found[2]), [*parts[:place], rest, *parts[place + 1 :]]
    return None, parts


def _items(row: Sequence[Item]) -> list[tuple[bytes, Item]]:
    """Names and values; a name that another name follows has no value."""
    found: list[tuple[bytes, Item]] = []
    place = 0
    while place < len(row):
        name, value = row[place], row[place + 1] if place + 1 < len(row) else None
        place += 1
        if not isinstance(name, bytes):
            continue
        name = name.upper()
        if isinstance(value, bytes) and value.upper() in _NAMES and not name.startswith(b"BODY["):
            value = None
        else:
            place += 1
        found.append((name, value))
    return found


def _told_of_item(told: Told, name: bytes, value: Item, literals: Sequence[bytes]) -> Told:  # noqa: PLR0911 - one each
    if name == b"X-GM-LABELS" and isinstance(value, tuple):
        important = any(isinstance(label, bytes) and label.lower() == b"\\important" for label in value)
        return told._replace(flags=_with_importance(told.flags)) if important else told
    if not isinstance(value, bytes):
        return told
    if name.startswith(b"BODY[") and name.endswith(b"]"):
        is_nil = value.upper() == b"NIL" and value not in literals
        return told if is_nil else _told_of_section(told, name[5:-1], value)
    match name:
        case b"UID" if value.isdigit():
            return told._replace(uid=int(value))
        case b"INTERNALDATE":
            return told._replace(date=value.decode("latin-1"))
        case b"RFC822.SIZE" if value.isdigit():
            return told._replace(size=int(value))
        case b"X-MAILBOX":
            return told._replace(mailbox=value)
        case _:
            return told


def _told_of_section(told: Told, section: bytes, value: bytes) -> Told:
    if not section:
        return told._replace(text=value)
    return told._replace(header=value) if section.startswith(b"HEADER") else told
