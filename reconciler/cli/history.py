"""``reconciler history``: what was done, when, and with what outcome."""

from typing import Annotated, Final

import typer

from reconciler.cli._options import Json, NoColor, Spec

EXAMPLES: Final = """\b
Examples:
  reconciler history migration.yaml
  reconciler history migration.yaml --run 3
"""


def history(
    spec: Spec,
    *,
    run: Annotated[int | None, typer.Option("--run", metavar="N", min=1, help="The steps of this run.")] = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """List the runs of a move, or the steps of one; reads the journal alone, no server."""
    from reconciler.cli.run.history import run_history  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415 - help must not load what the command needs

    raise typer.Exit(run_history(spec, Console.of_process(no_color=no_color), run=run, as_json=as_json))
