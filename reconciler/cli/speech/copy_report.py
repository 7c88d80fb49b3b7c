"""What is told after a pass: a summary with the account of every message, a report as CSV or JSON, a log a mailbox."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.outcome import MailboxThrough, Outcome, states, total
from reconciler.mailcopy.model.accounting import Tally
from reconciler.model.event import Event
from reconciler.transports import owner_files
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable
from reconciler.wording.sizes import octets
from reconciler.wording.style import Style

_COUNTS: Final = ("count", "copied", "vanished", "excluded", "refused", "waiting", "new", "recognised", "octets")
_MOST_LISTED: Final = 10  # of a mailbox's refusals, differences and notes; the report has all of them


def as_data(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    return {
        "mailbox": outcome.address,
        "state": outcome.state,
        "words": outcome.words,
        "began": encoded(outcome.began),
        "ended": encoded(outcome.ended),
        **_counts(outcome.tally),
        "grade": outcome.grade.value if outcome.grade else None,
        "unjudged": outcome.unjudged,
        "folders": [{"folder": f.folder, "into": f.into, "rule": f.rule, **_counts(f.tally)} for f in outcome.accounts],
        "refusals": [{"folder": r.folder, "uid": r.uid, "words": r.words} for r in outcome.refusals],
        "notes": [{"folder": note.folder, "words": note.words} for note in outcome.notes],
        "differences": [
            {"folder": d.folder, "kind": d.kind.value, "count": d.count, "explained": d.explained, "example": d.example}
            for d in outcome.differences
        ],
    }


def summary_data(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The account of all mailboxes."""
    whole = total(outcomes)
    return {"mailboxes": len(outcomes), "states": dict(states(outcomes)), **_counts(whole), "balanced": whole.balanced}


def summary(outcomes: Sequence[Outcome], style: Style, forecast: str = "") -> str:
    """What needs a person, mailbox by mailbox, the account of all, and when what is left will be through."""
    lines = [line for outcome in outcomes for line in _trouble(outcome, style)]
    ended = ", ".join(f"{number:,} {state}" for state, number in states(outcomes).most_common())
    whole = total(outcomes)
    passed = f"{whole.sent:,} sent ({octets(whole.octets)}), {whole.recognised:,} stood there already"
    lines += [
        f"{style.heading('mailboxes')}  {len(outcomes):,}: {ended or 'none'}",
        f"{style.heading('messages')}   {_account(whole)}",
        f"{style.heading('this pass')}  {passed}",
    ]
    if any(outcome.grade for outcome in outcomes):
        grades = [outcome.grade.value for outcome in outcomes if outcome.grade]
        told = ", ".join(f"{grades.count(grade):,} {grade}" for grade in dict.fromkeys(grades))
        lines.append(f"{style.heading('proof')}      {told}")
    if forecast:
        lines.append(f"{style.heading('left')}       {printable(forecast)}")
    if not whole.balanced:
        lines.append(style.removed("the account does not add up: this is a bug in reconciler, report it"))
    return "".join(f"{line}\n" for line in lines)


def write_report(path: Path, outcomes: Sequence[Outcome], now: datetime) -> None:
    """All mailboxes, as the file's name ends: ``.csv`` a printable line each, ``.json`` with folders and refusals.

    Raises:
        WriteError: it could not be written.

    """
    if path.suffix == ".csv":
        owner_files.write(path, _csv(outcomes).encode())
        return
    data = {"at": encoded(now), **summary_data(outcomes), "outcomes": [as_data(each) for each in outcomes]}
    owner_files.write(path, f"{json_text(data, indent=2)}\n".encode())


def _csv(outcomes: Sequence[Outcome]) -> str:
    lines = io.StringIO(newline="")
    table = csv.writer(lines)
    table.writerow(("mailbox", "state", "grade", *_COUNTS, "began", "ended", "words", "notes"))
    for each in outcomes:
        row = (
            each.address,
            each.state,
            each.grade.value if each.grade else "",
            *_counts(each.tally).values(),
            encoded(each.began) or "",
            encoded(each.ended) or "",
            each.words,
            "; ".join(map(str, each.notes)),
        )
        table.writerow(map(printable, map(str, row)))
    return lines.getvalue()


class Logs:
    """A file for each mailbox, which every pass adds to; the folder is made for its owner alone."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before a pass begins."""
        self._folder = folder

    def tell(self, event: Event, /) -> None:
        """Make the folder where it is missing; then what became of each mailbox in this pass."""
        match event:
            case PassBegun():
                owner_files.make_folder(self._folder)
            case MailboxThrough(outcome):
                self._add(outcome)
            case _:
                pass

    def _add(self, outcome: Outcome) -> None:
        name = outcome.address.replace(os.sep, "_")
        descriptor = owner_files.open_to_add(self._folder / f"{name}.log")
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{encoded(outcome.ended) or '-'} {printable(line)}\n" for line in _log_lines(outcome))


def _log_lines(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.state}: {_account(outcome.tally)}" + (f": {outcome.words}" if outcome.words else "")
    for folder in outcome.accounts:
        way = f"not copied, {folder.rule}" if folder.rule else f"-> {folder.into}"
        yield f"{folder.folder} {way}: {_account(folder.tally)}; {folder.tally.sent:,} sent"
    for refusal in outcome.refusals:
        yield f"refused: {refusal.folder}, UID {refusal.uid}: {refusal.words}"
    for note in outcome.notes:
        yield f"note: {note}"
    if outcome.grade:
        yield f"proof: {outcome.grade.value}"
    for difference in outcome.differences:
        yield f"{difference.folder}: {difference.count:,} {difference.kind.value} {difference.explained}"


def _trouble(outcome: Outcome, style: Style) -> Iterator[str]:
    if outcome.words:
        yield f"{style.removed(outcome.state)}  {printable(outcome.address)}: {printable(outcome.words)}"
    if outcome.unjudged:
        yield f"{style.removed('not proven')}  {printable(outcome.address)}: {printable(outcome.unjudged)}"
    listed = [f"{r.folder}, {f'UID {r.uid}' if r.uid else 'all of it'}: {r.words}" for r in outcome.refusals]
    for text in listed[:_MOST_LISTED]:
        yield f"{style.removed('refused')}  {printable(outcome.address)}: {printable(text)}"
    told = [
        f"{d.folder}: {d.count:,} {d.kind.value}" + (f", as {d.example}" if d.example else "")
        for d in outcome.differences
        if not d.explained
    ]
    for text in told[:_MOST_LISTED]:
        yield f"{style.changed('differs')}  {printable(outcome.address)}: {printable(text)}"
    for note in outcome.notes[:_MOST_LISTED]:
        yield f"{style.changed('note')}  {printable(f'{outcome.address}: {note}')}"
    more = sum(max(0, len(each) - _MOST_LISTED) for each in (listed, told, outcome.notes))
    if more:
        yield style.faint(f"and {more:,} more of {printable(outcome.address)}: --report lists all of them")


def _account(tally: Tally) -> str:
    """``2,000 = 1,990 copied + 10 refused``: the sum is the source's count."""
    parts = [
        f"{number:,} {name}"
        for name in ("copied", "vanished", "excluded", "refused", "waiting")
        if (number := getattr(tally, name))
    ]
    return f"{tally.count:,} = {' + '.join(parts)}" if parts else f"{tally.count:,}"


def _counts(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in _COUNTS}
