"""``reconciler copy``: one pass over the mailboxes of a spec."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.ledger import last_passes, ledger_place, open_ledger
from reconciler.app.copying.one_pass import Pass
from reconciler.app.copying.orders import Asked, Jobs, arrivals_since
from reconciler.app.copying.outcome import Outcome, code_of
from reconciler.app.copying.sizes import Before, measured
from reconciler.app.move import Move
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_preview import show_folders
from reconciler.cli.speech.copy_report import Logs, summary, summary_data, write_report
from reconciler.cli.speech.copy_watch import watching
from reconciler.cli.stopping import stoppable
from reconciler.errors import ReconcilerError
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.ports import Clock
from reconciler.transports.secrets import ReferencedSecrets
from reconciler.wording.machine_times import encoded
from reconciler.wording.times import moment


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
    section = move.spec.mail_copy
    if section is None:
        raise ReconcilerError(
            f"{path} has no section copy, so nobody knows where the mail is: add one, as in "
            "'copy: {old: {host: imap.old.example}, new: {host: imap.new.example}}'"
        )
    base = path.absolute().parent
    generated = Path(move.spec.generated_passwords) if move.spec.generated_passwords else None
    jobs = Jobs(move.spec, section, base, ReferencedSecrets(base, generated=generated))
    if asked.back:
        asked = replace(asked, since=_since(move, console))
    if manner.dry_run:
        with closing(jobs), closing(SqlLedger("sqlite://", clock)) as none:  # nothing is remembered of a look
            return show_folders(
                jobs.of(asked, clock.now().date(), none), section.parallel, console, as_json=manner.as_json
            )
    logs = Logs(manner.logs) if manner.logs else None
    passes = last_passes(path)
    with closing(jobs), open_ledger(ledger_place(path), clock) as ledger, stoppable(console.say) as stop:
        copies, known = measured(
            jobs.of(asked, clock.now().date(), ledger), section, Before(ledger, passes, clock), console.say, stop
        )
        with watching(console, clock, len(copies), as_json=manner.as_json, known=known) as watch:
            run = Pass(copies, section.parallel, Means(ledger, clock), watch.tell, stop, ledger.passed)
            outcomes = []
            for outcome in run.outcomes(verify=manner.verify):
                watch.ended(outcome)
                if logs:
                    logs.add(outcome)
                outcomes.append(outcome)
        stopped = stop()
    return _tell(outcomes, path, known.forecast, console, manner, stopped=stopped)


def _tell(
    outcomes: Sequence[Outcome], path: Path, forecast: Forecast, console: Console, manner: Manner, *, stopped: bool
) -> Code:
    now = forecast.clock.now()
    if manner.report:
        write_report(manner.report, outcomes, now)
    if manner.as_json:
        data = {"event": "summary", "at": encoded(now), **summary_data(outcomes), "stopped": stopped}
        console.result(f"{json.dumps(data)}\n")
    else:
        left = "" if stopped else forecast.words()
        console.result(summary(outcomes, console.style, left))
    if stopped:
        console.say(f"stopped; what was copied is in the ledger: the same command goes on from there ({path})")
        return Code.FAILED
    return code_of(outcomes)


def _since(move: Move, console: Console) -> datetime | None:
    with move.past() as past:
        since = arrivals_since(move.spec, past.histories())
    if since is None:
        console.say("the journal knows of no cutover: all mail of the new server is compared with the old one's")
    else:
        console.say(f"only what arrived on the new server since {moment(since)} is copied back")
    return since
