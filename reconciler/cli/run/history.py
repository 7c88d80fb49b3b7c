"""``reconciler history``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.app.clock import SystemClock, local
from reconciler.app.move import Move
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.errors import ReconcilerError
from reconciler.journal.records import BegunStep, Run, StepState
from reconciler.model.codec import encode_change
from reconciler.ports import Clock
from reconciler.render.phrases.changes import words
from reconciler.render.phrases.naming import thing
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable
from reconciler.wording.style import Style
from reconciler.wording.times import moment


def run_history(
    path: Path, console: Console, *, run: int | None = None, as_json: bool = False, clock: Clock | None = None
) -> Code:
    """List the runs or, of one, the steps; contacts no server.

    Raises:
        ReconcilerError: there is no such run, or the journal cannot be read.

    """
    move = Move.load(path, clock or SystemClock())
    with move.past() as past:
        runs = past.runs()
        if run is None:
            text = _json([_run_data(each) for each in runs]) if as_json else _listed(runs, move)
        else:
            chosen = next((each for each in runs if each.number == run), None)
            if chosen is None:
                msg = f"there is no run {run} of {move.spec.domain}; `reconciler history {path}` lists them"
                raise ReconcilerError(msg)
            steps = past.steps_of(run)
            data = {**_run_data(chosen), "steps": [_step_data(step) for step in steps]}
            text = _json(data) if as_json else _told(chosen, steps, console.style)
    console.result(text)
    return Code.DONE


def _listed(runs: Sequence[Run], move: Move) -> str:
    if not runs:
        return f"{move.spec.domain}: no run yet\n"
    return "".join(f"{_line(run)}\n" for run in runs)


def _line(run: Run) -> str:
    counts = [(run.done, "done"), (run.failed, "failed"), (run.open, "cut short")]
    steps = ", ".join(f"{number:,} {word}" for number, word in counts if number) or "no step"
    return (
        f"run {run.number}  {moment(run.started, local)}  {run.intent.value} to {run.stage.label}: "
        f"{printable(run.outcome)} ({steps}) on {printable(run.host)}"
    )


def _told(run: Run, steps: Sequence[BegunStep], style: Style) -> str:
    paint = {StepState.DONE: style.made, StepState.FAILED: style.removed, StepState.OPEN: style.changed}
    said = {StepState.DONE: "done", StepState.FAILED: "failed", StepState.OPEN: "cut short"}
    lines = [style.heading(_line(run))]
    for step in steps:
        address = step.change.address
        what = f"{step.change.verb.value} {address.place}: {thing(address)}  {words(step.change)}"
        why = f": {printable(step.why)}" if step.why else ""
        lines.append(f"  {step.number} {what.rstrip()}  {paint[step.state](said[step.state])}{why}")
    return "\n".join([*lines, ""])


def _run_data(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "intent": run.intent.value,
        "stage": run.stage.label,
        "started": encoded(run.started),
        "ended": encoded(run.ended),
        "outcome": run.outcome,
        "done": run.done,
        "failed": run.failed,
        "open": run.open,
        "host": run.host,
        "tool_version": run.tool_version,
        "spec_digest": run.spec_digest,
        "plan_digest": run.plan_digest,
    }


def _step_data(step: BegunStep) -> dict[str, Any]:
    return {
        "number": step.number,
        "stage": step.stage.label,
        **encode_change(step.change),
        "words": words(step.change),
        "state": step.state.value,
        "begun": encoded(step.begun),
        "ended": encoded(step.done or step.failed),
        "why": step.why,
    }


def _json(data: object) -> str:
    return f"{json_text(data, indent=2)}\n"
