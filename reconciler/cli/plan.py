"""``reconciler plan``: what would change, and when it may."""

from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli._options import Ahead, Format, Json, NoColor, Specs, Verbose

EXAMPLES: Final = """\b
Examples:
  reconciler plan migration.yaml
  reconciler plan migration.yaml --stage cutover      look ahead
  reconciler plan migration.yaml --out plan.json      save it, review it, then: reconciler apply plan.json
  reconciler plan moves/*.yaml --format markdown      for a pull request

\b
Exit codes:
  0 nothing to do, 2 changes can run now, 3 all waits until its time, 4 blocked or by hand, 1 an error
"""


def plan(
    specs: Specs,
    *,
    stage: Ahead = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save the plan (one spec only).")] = None,
    form: Format = "text",
    as_json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Show the changes that lead from the world as it is to the stage of the spec, or to STAGE.

    Reads both servers and the zone; writes nothing but FILE.
    """
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.cli.run.plan import run_plan  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415

    if out and len(specs) > 1:
        msg = "a file holds the plan of one spec: give one"
        raise typer.BadParameter(msg, param_hint="--out")
    console = Console.of_process(no_color=no_color)
    form = "json" if as_json else form
    code = run_plan(specs, SystemClock(), console, stage=stage, out=out, form=form, verbose=verbose)
    raise typer.Exit(code)
