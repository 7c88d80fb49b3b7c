"""``reconciler copy``: one pass over the mailboxes of a spec."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reconciler.app.copying.asked import Asked
from reconciler.app.copying.copied import Copied
from reconciler.app.copying.worker import copy_mail, preview_mail
from reconciler.app.move import Move
from reconciler.cli.copy_codes import of_copied
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_preview import folders, folders_json
from reconciler.cli.speech.copy_report import Logs, summary, summary_data, write_report
from reconciler.cli.speech.copy_watch import Lines, watching
from reconciler.cli.stopping import stoppable
from reconciler.mailcopy.job import State
from reconciler.model.event import Together
from reconciler.ports import Clock
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded


@dataclass(frozen=True, slots=True)
class Manner:
    """How a person wants it done and told."""

    verify: bool = False
    as_json: bool = False
    report: Path | None = None
    logs: Path | None = None
    dry_run: bool = False


def run_copy(path: Path, asked: Asked, clock: Clock, console: Console, manner: Manner) -> Code:
    """One pass: copy, judge if asked for, and account for every message.

    Raises:
        ReconcilerError: the spec is wrong or has no section ``copy``, or the ledger cannot be used.

    """
    move = Move.load(path, clock)
    if manner.dry_run:
        return _preview(move, asked, console, as_json=manner.as_json)
    with watching(console, clock, as_json=manner.as_json) as watch:
        events = Together(watch, Logs(manner.logs)) if manner.logs else watch
        copied = copy_mail(move, asked, events, partial(stoppable, console.say), verify=manner.verify)
    return _tell(copied, path, console, manner)


def _preview(move: Move, asked: Asked, console: Console, *, as_json: bool) -> Code:
    found = preview_mail(move, asked, Lines(console))
    console.result(folders_json(found) if as_json else folders(found, console.style))
    return Code.DONE if all(each.state is State.DONE and not each.refusals for each in found) else Code.BLOCKED


def _tell(copied: Copied, path: Path, console: Console, manner: Manner) -> Code:
    outcomes, now = copied.outcomes, copied.forecast.clock.now()
    if manner.report:
        write_report(manner.report, outcomes, now)
    if manner.as_json:
        data = {"event": "summary", "at": encoded(now), **summary_data(outcomes), "stopped": copied.stopped}
        console.result(f"{json_text(data)}\n")
    else:
        left = "" if copied.stopped else copied.forecast.words()
        console.result(summary(outcomes, console.style, left))
    if copied.stopped:
        console.say(f"stopped; what was copied is in the ledger: the same command goes on from there ({path})")
        return Code.FAILED
    return of_copied(outcomes)
