"""``reconciler apply``: carry out what may run now."""

from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli._options import Json, NoColor, SpecsOrPlan, Verbose, Yes

EXAMPLES: Final = """\b
Examples:
  reconciler apply migration.yaml
  reconciler apply migration.yaml --yes --json        from a script: one JSON object a line
  reconciler apply plan.json                          nothing beyond what was reviewed
  reconciler apply migration.yaml --plan plan.json    the same, of a spec that does not lie in this folder
  reconciler apply migration.yaml --expect 6f1c...    only if the plan made now has this digest

\b
Exit codes:
  0 all done, 3 the rest waits until its time, 4 the rest is blocked or by hand,
  5 the world or the spec changed since the plan was made, 1 an error or stopped
"""


_BEGINNING: Final = 4096  # octets, in which a saved plan has told what it is


def apply(
    specs: SpecsOrPlan,
    *,
    saved: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Do nothing beyond this saved plan of SPEC.")
    ] = None,
    expected: Annotated[
        str | None,
        typer.Option("--expect", metavar="DIGEST", help="Go on without a question if the plan has this digest."),
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Plan, ask, carry out the changes that may run now, then read again whether they hold.

    A saved plan can only hold back: everything is planned anew, and what is in both plans is done. Where they differ
    otherwise, nothing is.

    Each change is journalled before it is made, in SPEC's folder unless the spec names a database. Ctrl-C finishes
    the write that is under way and stops; apply again goes on from there.
    """
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.cli.run.apply import run_apply  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415
    from reconciler.cli.speech.manner import Manner  # noqa: PLC0415

    plans = [path for path in specs if _is_saved_plan(path)]
    if len(specs) > 1 and (saved or plans):
        msg = "a saved plan is applied by itself: give one"
        raise typer.BadParameter(msg, param_hint="SPEC...")
    if saved and plans:
        msg = "give the spec here, and the saved plan with --plan; or the saved plan alone"
        raise typer.BadParameter(msg, param_hint="SPEC")
    if len(specs) > 1 and expected is not None:
        msg = "a digest is that of one plan: give one spec"
        raise typer.BadParameter(msg, param_hint="SPEC...")
    manner = Manner(Console.of_process(no_color=no_color), sure=yes, as_json=as_json, verbose=verbose)
    saved = saved or next(iter(plans), None)
    raise typer.Exit(run_apply(specs if not plans else [], SystemClock(), manner, saved=saved, expected=expected))


def _is_saved_plan(path: Path) -> bool:
    """By its name or, whatever it is called, by how it begins."""
    if path.suffix == ".json":
        return True
    try:
        if not path.is_file():  # to open a FIFO would wait for ever
            return False
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return False  # loading it as a spec says what is wrong
    return beginning.startswith(b"{") and b'"format_version"' in beginning
