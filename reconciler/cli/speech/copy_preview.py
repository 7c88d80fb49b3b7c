"""The plan of folders before a copy: which goes where and why, told once for all mailboxes where it is the same."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.mailcopy.preview import Preview
from reconciler.model.folder_path import title
from reconciler.wording.json_text import json_text
from reconciler.wording.printable import printable
from reconciler.wording.style import Style

_MOST_NAMED: Final = 2


def folders(found: Sequence[Preview], style: Style) -> str:
    """For people."""
    return "".join(f"{line}\n" for line in _lines(found, style))


def folders_json(found: Sequence[Preview]) -> str:
    """For programs, a mailbox a line."""
    return "".join(f"{json_text(_as_data(each))}\n" for each in found)


@dataclass(slots=True)
class _Row:
    """One way of a folder, in all mailboxes that have it."""

    accounts: list[str] = field(default_factory=list)
    messages: int = 0
    new: int = 0


def _lines(found: Sequence[Preview], style: Style) -> Iterator[str]:
    going: dict[tuple[str, str, str], _Row] = defaultdict(_Row)
    staying: dict[tuple[str, str, str], _Row] = defaultdict(_Row)
    for each in found:
        for line in each.plan.mapped:
            row = going[line.source.title, title(line.target), line.why]
            row.new += not line.exists
            _count(row, each, line.source.raw)
        for entry in each.plan.left_out:
            _count(staying[entry.source.title, "", entry.rule], each, entry.source.raw)
    yield style.heading("folders, as they would be copied; nothing is written")
    yield from _table(going)
    if staying:
        yield style.heading("not copied")
        yield from _table(staying)
    for each in found:
        if each.words:
            yield f"{style.removed(each.state.value)}  {printable(each.key.account)}: {printable(each.words)}"
        for refusal in each.refusals:
            told = printable(f"{each.key.account}: {refusal.folder}: {refusal.words}")
            yield f"{style.removed('refused')}  {told}"
        for note in each.notes:
            yield f"{style.changed('note')}  {printable(f'{each.key.account}: {note}')}"
    yield style.faint("to change it, write copy.folders (FOLDER: FOLDER) or copy.exclude in the spec")


def _count(row: _Row, each: Preview, raw: bytes) -> None:
    row.accounts.append(each.key.account)
    row.messages += each.messages.get(raw, 0)


def _table(rows: dict[tuple[str, str, str], _Row]) -> Iterator[str]:
    """Equal ones are one line, in columns."""
    ordered = sorted(rows.items())
    first = max((len(printable(source)) for (source, _, _), _ in ordered), default=0)
    second = max((len(printable(into)) for (_, into, _), _ in ordered), default=0)
    for (source, into, why), row in ordered:
        way = f"{printable(source):<{first}}" + (f"  ->  {printable(into):<{second}}" if into else "")
        yield f"  {way}  {printable(why)}; {_whose(row.accounts)}, {row.messages:,} messages{_made(row)}"


def _whose(accounts: Iterable[str]) -> str:
    names = [*map(printable, accounts)]
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names):,} mailboxes"


def _made(row: _Row) -> str:
    if not row.new:
        return ""
    return ", made new" if row.new == len(row.accounts) else f", made new in {row.new:,}"


def _as_data(each: Preview) -> dict[str, Any]:
    return {
        "event": "folders",
        "mailbox": each.key.account,
        "state": each.state.value if each.words else "looked",
        "words": each.words,
        "folders": [
            {
                "folder": line.source.title,
                "into": title(line.target),
                "why": line.why,
                "exists": line.exists,
                "messages": each.messages.get(line.source.raw, 0),
            }
            for line in each.plan.mapped
        ],
        "left_out": [
            {"folder": entry.source.title, "rule": entry.rule, "messages": each.messages.get(entry.source.raw, 0)}
            for entry in each.plan.left_out
        ],
        "refusals": [{"folder": refusal.folder, "words": refusal.words} for refusal in each.refusals],
        "notes": [*each.notes],
    }
