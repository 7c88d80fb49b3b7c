"""``reconciler apply``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.app.applying import Doing, Manner
from reconciler.app.saved_plans import read, require_current
from reconciler.app.session import open_session
from reconciler.cli.exit_codes import Code, of_error, worst
from reconciler.cli.speech.console import Console
from reconciler.errors import Interrupted, PlanUnreadable, ReconcilerError
from reconciler.model.plan import Plan
from reconciler.ports import Clock

_LEFT: Final = {
    Code.DONE: "done",
    Code.CHANGES: "not all done: apply again",
    Code.WAITING: "the rest waits until its time",
    Code.BLOCKED: "the rest is blocked or by hand",
    Code.STALE: "stale, see above",
    Code.FAILED: "error, see above",
}


def run_apply(
    paths: Sequence[Path],
    clock: Clock,
    console: Console,
    *,
    saved: Path | None = None,
    yes: bool = False,
    as_json: bool = False,
    verbose: bool = False,
) -> Code:
    """One move after the other; with a saved plan, exactly that. One that fails does not keep the others back.

    Raises:
        ReconcilerError: the only move failed, or a person stopped the run.

    """
    manner = Manner(sure=yes or saved is not None, exactly=saved is not None, as_json=as_json, verbose=verbose)
    if saved:
        plan, named = read(saved)
        path = next(iter(paths), named)
        if path is None:
            msg = f"{saved} does not name its spec: reconciler apply SPEC --plan {saved}"
            raise PlanUnreadable(msg)
        return _apply(path, clock, console, manner, plan)
    codes = []
    for path in paths:
        try:
            codes.append(_apply(path, clock, console, manner))
        except ReconcilerError as error:
            if len(paths) == 1 or isinstance(error, Interrupted):
                raise
            console.complain(error)
            codes.append(of_error(error))
    if len(paths) > 1 and not as_json:
        console.result(_summary(paths, codes, console))
    return worst(codes)


def _summary(paths: Sequence[Path], codes: Sequence[Code], console: Console) -> str:
    """One line a move."""
    wide = max(len(str(path)) for path in paths)
    lines = [f"  {path!s:<{wide}}  {_LEFT[code]}" for path, code in zip(paths, codes, strict=True)]
    return "\n".join([console.style.heading(f"{len(paths)} moves"), *lines, ""])


def _apply(path: Path, clock: Clock, console: Console, manner: Manner, saved: Plan | None = None) -> Code:
    with open_session(path, clock) as session:
        if saved:
            require_current(saved, session.move, session.digest)
        with session.move.journal() as journal:
            session.note_name_servers(journal)
            sight = session.look(journal)
            plan = saved or session.plan(sight)

            def again() -> Plan:
                return session.plan(session.look(journal), plan.stage)

            return Doing(session, journal, plan, again, sight.untouched, console, manner).carry_out()
