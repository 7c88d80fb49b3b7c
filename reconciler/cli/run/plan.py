"""``reconciler plan``."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.app.clock import local
from reconciler.app.planning import plan_move
from reconciler.app.saved_plans import save
from reconciler.app.session import open_session
from reconciler.cli.exit_codes import Code, of_error, of_plan, worst
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.formats import TEXT, shown
from reconciler.errors import ReconcilerError
from reconciler.model.codec import encode_plan, plan_digest
from reconciler.model.plan import Plan
from reconciler.model.stage import Stage
from reconciler.ports import Clock
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.text import Look
from reconciler.transports.ssh.shared import CONNECTIONS
from reconciler.wording.json_text import json_text
from reconciler.wording.printable import printable

JSON = "json"
_AT_ONCE: Final = 16  # specs: each has open files and connections of its own


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of one spec: a plan, or an error."""

    path: Path
    plan: Plan | None
    untouched: int | None = None
    error: ReconcilerError | None = None

    @property
    def code(self) -> Code:
        """For scripts."""
        if self.plan is None:
            return of_error(self.error) if self.error else Code.FAILED
        return of_plan(self.plan)


def run_plan(
    paths: Sequence[Path],
    clock: Clock,
    console: Console,
    *,
    stage: str | None = None,
    out: Path | None = None,
    form: str = TEXT,
    verbose: bool = False,
) -> Code:
    """Plan the specs side by side and show what was found; with ``out``, save the one plan."""
    target = Stage.of(stage) if stage else None
    with CONNECTIONS.kept(), ThreadPoolExecutor(max_workers=min(len(paths), _AT_ONCE)) as pool:
        found = list(pool.map(lambda path: _planned(path, clock, target), paths))
    if form == JSON and len(found) > 1:
        console.result(f"{json_text([_data(each) for each in found], indent=2)}\n")
    for each in found:
        if each.plan and not (form == JSON and len(found) > 1):
            look = Look(console.style, verbose, local, str(each.path), each.untouched)
            console.result(shown(each.plan, form, look) + ("\n" if len(found) > 1 else ""))
        if each.plan and out:
            save(each.plan, each.path, out)
            console.say(
                f"saved; to do nothing beyond this plan: reconciler apply {out}; its digest: {plan_digest(each.plan)}"
            )
        if each.error:
            console.complain(each.error)
    if form == TEXT and len(found) > 1:
        console.result(_summary(found, console))
    return worst(each.code for each in found)


def _planned(path: Path, clock: Clock, stage: Stage | None) -> _Found:
    try:
        with open_session(path, clock) as session:
            planned = plan_move(session, stage)
            return _Found(path, planned.plan, planned.untouched)
    except ReconcilerError as error:
        return _Found(path, None, error=error)


def _data(found: _Found) -> dict[str, Any]:
    return {
        "spec": str(found.path),
        "exit_code": found.code,
        "error": str(found.error) if found.error else None,
        "plan": encode_plan(found.plan) if found.plan else None,
    }


def _summary(found: Sequence[_Found], console: Console) -> str:
    """One line a move."""
    wide = max(len(printable(str(each.path))) for each in found)
    lines = [console.style.heading(f"{len(found)} moves")]
    for each in found:
        text = "error, see above"
        if each.plan:
            text = f"to {each.plan.stage.label}: "
            text += counts(each.plan, local) if each.plan.steps else next_thing(each.plan)
        lines.append(f"  {printable(str(each.path)):<{wide}}  {text}")
    return "\n".join([*lines, ""])
