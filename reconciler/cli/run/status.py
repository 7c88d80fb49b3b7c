"""``reconciler status``."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from reconciler.app.clock import local
from reconciler.app.session import open_session
from reconciler.app.status import CacheClock, CopiedMail, MoveStatus, status_of
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.journal.records import RUNNING, Run
from reconciler.ports import Clock
from reconciler.render.phrases.closing import counts
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable
from reconciler.wording.style import Style
from reconciler.wording.times import moment

_MOST_LISTED: Final = 20  # users; more are scrolled past, and --json has them all


def run_status(path: Path, clock: Clock, console: Console, *, as_json: bool = False) -> Code:
    """Read everything, write nothing, and say where the move stands.

    Raises:
        ReconcilerError: a server, the zone or the journal could not be read.

    """
    with open_session(path, clock) as session:
        report = status_of(session)
    if as_json:
        console.result(f"{json_text(_data(report), indent=2)}\n")
    else:
        console.result("".join(f"{line}\n" for line in _lines(report, console.style)))
    return Code.DONE


def _lines(report: MoveStatus, style: Style) -> Iterator[str]:
    stands = report.stands
    yield style.heading(report.domain) + style.faint(f"  as read at {moment(report.now, local)}")
    yield f"stage    {stands.stage.label}; the spec goes to {report.goes_to.label}"
    if report.plan.steps:
        yield f"plan     {counts(report.plan, local)}"
    for clock in stands.caches:
        yield f"caches   {_clock(clock, report.now)}"
    if stands.mail:
        yield f"mail     {_mail(stands.mail)}"
    if stands.users:
        yield f"users    {stands.users - len(stands.not_moved):,} of {stands.users:,} have moved"
    for address in stands.not_moved[:_MOST_LISTED]:
        sign = ": has switched the forward off, so set moved: true" if address in stands.switched_off else ""
        yield f"         not yet {printable(address)}{sign}"
    if len(stands.not_moved) > _MOST_LISTED:
        yield f"         and {len(stands.not_moved) - _MOST_LISTED:,} more"
    yield f"run      {_run(report.last_run)}"
    yield style.heading(f"next     {printable(report.next)}")


def _mail(mail: CopiedMail) -> str:
    parts = [f"{mail.copied:,} of {mail.mailboxes:,} mailboxes copied", f"{mail.complete:,} complete and compared"]
    return ", ".join([*parts, *([f"{mail.quiet:,} quiet on the old server"] if mail.quiet else [])])


def _clock(clock: CacheClock, now: datetime) -> str:
    owner, _, rdtype = printable(clock.name).rpartition(" ")
    name = f"{rdtype} {owner.removesuffix('.')}"
    if clock.lagging:
        return f"{name}: not yet the same at {', '.join(map(printable, clock.lagging))}"
    since = f"{name}: served by all since {moment(clock.since, local)}" if clock.since else f"{name}: gone everywhere"
    if clock.clear_at is None:
        return since
    if clock.clear_at <= now:
        return f"{since}; no cache holds what stood before"
    return f"{since}; caches may hold what stood before until {moment(clock.clear_at, local)}"


def _run(run: Run | None) -> str:
    if run is None:
        return "none yet"
    if run.outcome == RUNNING:
        return (
            f"{run.number} is under way on {printable(run.host)} since {moment(run.started, local)}: the move is locked"
        )
    what = f"{run.number}, {run.intent.value} to {run.stage.label} at {moment(run.started, local)}"
    done = f"{run.done:,} {'step' if run.done == 1 else 'steps'} done"
    return f"{what}: {printable(run.outcome)}; {done}; the move is not locked"


def _data(report: MoveStatus) -> dict[str, Any]:
    stands, run = report.stands, report.last_run
    return {
        "domain": report.domain,
        "at": encoded(report.now),
        "stage": stands.stage.label,
        "spec_stage": report.goes_to.label,
        "next": report.next,
        "next_time": encoded(report.plan.next_time),
        "steps_left": len(report.plan.steps),
        "caches": [
            {
                "name": clock.name,
                "since": encoded(clock.since),
                "clear_at": encoded(clock.clear_at),
                "lagging": list(clock.lagging),
            }
            for clock in stands.caches
        ],
        "mail": asdict(stands.mail) if stands.mail else None,
        "users": stands.users,
        "not_moved": list(stands.not_moved),
        "switched_off": list(stands.switched_off),
        "locked": run is not None and run.outcome == RUNNING,
        "last_run": None if run is None else {"number": run.number, "outcome": run.outcome, "done": run.done},
    }
