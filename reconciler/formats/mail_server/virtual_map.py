"""Postfix map sources: ``key value`` entries over one or more lines, and our block of self entries in them.

In plain Postfix a catch-all takes the mail of real mailboxes too, unless the same map has an entry for each. Those
entries stand in a marked block, which no reading shows as aliases.

Source: virtual(5), postmap(1), DATABASE_README; tested with Postfix 3.7.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import PurePath
from typing import Final

from reconciler.errors import ObserveError
from reconciler.formats.mail_server.line_text import Edit, Text
from reconciler.formats.templates import normal, same_domain

_TOKEN: Final = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|[^\s,"])+')
_TARGETS: Final = re.compile(rf"(?:[\s,]*{_TOKEN.pattern})*[\s,]*")
_SEPARATOR: Final = ", "
_BETWEEN: Final = "#"  # stands in a layout for a comment or blank line, which is somebody else's


@dataclass(frozen=True, slots=True)
class Entry:
    """One logical line. ``rows`` are the indices of its lines; comments between them are not among these."""

    rows: tuple[int, ...]
    key: str
    value: str

    @property
    def targets(self) -> frozenset[str]:
        """The addresses of its value, in normal form."""
        return frozenset(normal(token) for token in _TOKEN.findall(self.value))


@dataclass(frozen=True, slots=True)
class Block:
    """Our marked block: the indices of its first and last line, and its self entries by address."""

    begin: int
    end: int
    kept: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Map:
    """The entries of one domain by key in normal form, ``@domain`` among them, without those in our block."""

    text: Text
    by_key: dict[str, Entry]
    block: Block | None


def entries(text: Text, *, values: bool = True) -> list[Entry]:
    """All logical lines of a file; with ``values``, each must have one.

    Raises:
        ObserveError: a continuation line that continues nothing, or an entry without value: Postfix skips both.

    """
    found: list[tuple[list[int], list[str]]] = []
    for index, line in enumerate(text.lines):
        if _is_between(line):
            continue
        stripped = line.strip()
        if not line[0].isspace():
            found.append(([index], [stripped]))
        elif found:
            found[-1][0].append(index)
            found[-1][1].append(stripped)
        else:
            raise text.error(index, "the line begins with a blank but continues no other; Postfix skips it: mend it")
    result = []
    for rows, parts in found:
        key, *rest = " ".join(parts).split(maxsplit=1)
        value = rest[0] if rest else ""
        if values and not value:
            raise text.error(rows[0], f"{key} has no value: expected KEY VALUE; Postfix skips it: mend it or remove it")
        result.append(Entry(tuple(rows), key, value))
    return result


def parse(text: Text, domain: str) -> Map:
    """The entries of a domain; keys without ``@`` and other domains are not ours.

    Raises:
        ObserveError: as for ``entries``; a key of the domain stands twice, of which Postfix takes one; our block has
            no end.

    """
    begin, end = _markers(text, domain)
    found: dict[str, Entry] = {}
    kept: dict[str, Entry] = {}
    for entry in entries(text):
        local, at, of = entry.key.rpartition("@")
        if not at or not same_domain(of, domain):
            continue
        key = normal(entry.key) if local else f"@{domain}"
        twice = found.get(key) or kept.get(key)
        if twice:
            raise text.error(
                entry.rows[0], f"{key} stands here and in line {twice.rows[0] + 1}; Postfix takes only one: remove one"
            )
        inside = begin is not None and begin < entry.rows[0] < end
        (kept if inside and entry.targets == {key} else found)[key] = entry
    return Map(text, found, Block(begin, end, kept) if begin is not None else None)


def line(key: str, targets: Iterable[str]) -> str:
    """A new entry.

    Raises:
        ValueError: the key would be read as a comment, or a target as several.

    """
    listed = sorted(targets)
    for target in listed:
        if not _TOKEN.fullmatch(target) or not target.isprintable():
            raise ValueError(f"{target!r} cannot stand in a Postfix map: it would be read as something else")
    if key.startswith("#") or not key.isprintable() or re.search(r"\s", key) or not listed:
        raise ValueError(f"{key!r} cannot be a key of a Postfix map: it would be read as a comment or cut short")
    return f"{key} {_SEPARATOR.join(listed)}"


def retarget(edit: Edit, text: Text, entry: Entry, wanted: frozenset[str]) -> None:
    """Give an entry other targets; those that stay are not touched, in spelling, order or line.

    Raises:
        ValueError: a target cannot stand there, or a blank line would be lost at the end of the file.

    """
    added = line(entry.key, wanted - entry.targets).partition(" ")[2] if wanted - entry.targets else ""
    rows = entry.rows
    if rows[-1] - rows[0] + 1 == len(rows):
        raw = "\n".join(text.lines[row] for row in rows)
    else:  # comments stand between the lines: they stay where they are, and the entry becomes one line
        if not text.ended and rows[-1] + 1 == len(text.lines) and not text.lines[rows[-1] - 1]:
            raise ValueError("the file has no end of its last line, and a blank line before it: add a line end there")
        raw = f"{entry.key} {entry.value}"
    start = len(entry.key)
    tokens = [(m.start(), m.end()) for m in _TOKEN.finditer(raw, start)]
    if added:
        end = tokens[-1][1]
        raw = raw[:end] + _separator(raw, tokens) + added + raw[end:]
    for begin, end in reversed(tokens):
        if normal(raw[begin:end]) not in wanted:
            raw = _without(raw, start, begin, end)
    edit.replace(rows[0], *raw.split("\n"))
    for row in rows[1:]:
        edit.replace(row)


def layout(text: Text, entry: Entry) -> str | None:
    """An entry as it stands, line by line, with ``#`` where a comment or blank line is; None if it is not UTF-8."""
    rows = range(entry.rows[0], entry.rows[-1] + 1)
    found = "\n".join(text.lines[row] if row in entry.rows else _BETWEEN for row in rows)
    return found if _encodable(found) else None


def laid_out(stored: str | None, key: str, targets: frozenset[str]) -> list[list[str]] | None:
    """The lines of a layout, cut where comments stood; None unless it says that the key delivers to these targets."""
    if stored is None or not _encodable(stored) or not all(c.isprintable() or c in "\t\n" for c in stored):
        return None
    lines = stored.split("\n")
    marks = [-1, *(index for index, row in enumerate(lines) if row == _BETWEEN), len(lines)]
    pieces = [lines[begin + 1 : end] for begin, end in pairwise(marks)]
    try:
        found = entries(Text(PurePath("layout"), stored.encode()))
    except ObserveError:
        return None
    whole = len(found) == 1 and len(found[0].rows) == sum(map(len, pieces))
    if not whole or not _is_key(found[0].key, key) or found[0].targets != targets:
        return None
    return pieces if _TARGETS.fullmatch(found[0].value) else None


def put_back(edit: Edit, text: Text, entry: Entry, pieces: list[list[str]]) -> None:
    """Give an entry its lines of a layout; comments stay in their order, between its pieces where there are as many."""
    others = [row for row in range(entry.rows[0], entry.rows[-1]) if row not in entry.rows]
    row = entry.rows[-1] + 1
    while len(others) < len(pieces) - 1 and row < len(text.lines) and _is_between(text.lines[row]):
        others.append(row)
        row += 1
    if len(others) != len(pieces) - 1:
        pieces, others = [list(chain(*pieces))], []
    edit.replace(entry.rows[0], *pieces[0])
    for gone in entry.rows[1:]:
        edit.replace(gone)
    for other, piece in zip(others, pieces[1:], strict=True):
        edit.replace(other, text.lines[other], *piece)


def remove(edit: Edit, entry: Entry) -> None:
    """Take an entry out; comments between its lines stay."""
    for row in entry.rows:
        edit.replace(row)


def keep_from_catch_all(edit: Edit, standing: Map, domain: str, mailboxes: Iterable[str]) -> None:
    """Make our block hold exactly these self entries, in this order; without any there is no block."""
    wanted = list(mailboxes)
    block = standing.block
    if wanted == list(block.kept if block else ()) and (wanted or block is None):
        return
    kept = [line(address, [address]) for address in wanted]
    if block is None:
        edit.append(_begin(domain), *kept, _end(domain))
        return
    for entry in block.kept.values():
        remove(edit, entry)
    if kept:
        edit.insert(block.end, *kept)
    else:
        edit.replace(block.begin)
        edit.replace(block.end)


def _is_key(written: str, key: str) -> bool:
    return same_domain(written[1:], key[1:]) if written[0] == key[0] == "@" else normal(written) == key


def _is_between(row: str) -> bool:
    """Whether a line is a comment or blank: these may stand between the lines of an entry."""
    return row.strip()[:1] in {"", "#"}


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _begin(domain: str) -> str:
    return f"# reconciler: mailboxes kept from the catch-all of {domain}"


def _end(domain: str) -> str:
    return f"# reconciler: end of the mailboxes kept from the catch-all of {domain}"


def _markers(text: Text, domain: str) -> tuple[int | None, int]:
    if _begin(domain) not in text.lines:
        return None, 0
    begin = text.lines.index(_begin(domain))
    if _end(domain) not in text.lines[begin:]:
        raise text.error(begin, f"the block that begins here has lost its last line; add it: {_end(domain)!r}")
    return begin, text.lines.index(_end(domain), begin)


def _separator(raw: str, tokens: list[tuple[int, int]]) -> str:
    """The one before the last target, if there are two: a list of one address a line stays one."""
    between = raw[tokens[-2][1] : tokens[-1][0]] if len(tokens) > 1 else ""
    return between or _SEPARATOR


def _without(raw: str, start: int, begin: int, end: int) -> str:
    """A token out, with the separator before it or, for the first one, the one behind it."""
    before = re.compile(r"[\s,]*\Z").search(raw, 0, begin)
    assert before is not None
    if before.start() > start:
        return raw[: before.start()] + raw[end:]
    behind = re.compile(r"[\s,]*").match(raw, end)
    assert behind is not None
    return raw[:begin] + raw[behind.end() :]
