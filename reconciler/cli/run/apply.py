"""``reconciler apply``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.app.applying import apply_move
from reconciler.app.saved_plans import read
from reconciler.app.session import open_session
from reconciler.cli.exit_codes import Code, of_error, of_round, worst
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.manner import Manner
from reconciler.errors import Interrupted, PlanUnreadable, ReconcilerError
from reconciler.model.plan import Plan
from reconciler.ports import Clock
from reconciler.wording.printable import printable

_LEFT: Final = {
    Code.DONE: "done",
    Code.CHANGES: "not all done: apply again",
    Code.WAITING: "the rest waits until its time",
    Code.BLOCKED: "the rest is blocked or by hand",
    Code.STALE: "stale, see above",
    Code.FAILED: "error, see above",
}


def run_apply(
    paths: Sequence[Path], clock: Clock, manner: Manner, *, saved: Path | None = None, expected: str | None = None
) -> Code:
    """One move after the other; with a saved plan or a digest, nothing beyond what was approved.

    One that fails does not keep the others back.

    Raises:
        ReconcilerError: the only move failed, or a person stopped the run.

    """
    if saved:
        plan, named = read(saved)
        path = next(iter(paths), None) or _named_spec(saved, named, manner, approved=expected is not None)
        return _apply(path, clock, replace(manner, sure=True), plan, expected)
    if expected is not None:
        return _apply(paths[0], clock, replace(manner, sure=True), expected=expected)
    codes = []
    for path in paths:
        try:
            codes.append(_apply(path, clock, manner))
        except ReconcilerError as error:
            if len(paths) == 1 or isinstance(error, Interrupted):
                raise
            manner.console.complain(error)
            codes.append(of_error(error))
    if len(paths) > 1 and not manner.as_json:
        manner.console.result(_summary(paths, codes, manner.console))
    return worst(codes)


def _summary(paths: Sequence[Path], codes: Sequence[Code], console: Console) -> str:
    """One line a move."""
    names = [printable(str(path)) for path in paths]
    wide = max(map(len, names))
    lines = [f"  {name:<{wide}}  {_LEFT[code]}" for name, code in zip(names, codes, strict=True)]
    return "\n".join([console.style.heading(f"{len(paths)} moves"), *lines, ""])


def _named_spec(saved: Path, named: Path | None, manner: Manner, *, approved: bool) -> Path:
    """The spec that the file names, if somebody stands for it: with it come its servers, secrets and programs.

    A person does who has approved the plan by its digest, who stands in the spec's folder, or who says yes.

    Raises:
        ReconcilerError: the file names none, or nobody does.

    """
    if named is None:
        msg = f"{saved} does not name its spec: reconciler apply SPEC --plan {saved}"
        raise PlanUnreadable(msg)
    manner.console.say(f"{saved} is a plan of the spec {named}")
    if approved or named.absolute().parent.resolve() == Path.cwd().resolve():
        return named
    instead = f"if it is the right one, name it: reconciler apply {named} --plan {saved}; nothing was changed"
    if not manner.console.confirm(f"Is {named} the spec that you mean?", instead=instead):
        raise ReconcilerError("not confirmed; nothing was changed")
    return named


def _apply(path: Path, clock: Clock, manner: Manner, saved: Plan | None = None, expected: str | None = None) -> Code:
    with manner.following(path, clock) as events, open_session(path, clock, events) as session:
        return of_round(apply_move(session, manner.terms, saved, expected=expected).last)
