"""``reconciler demo``: see the main job before there is a spec of one's own."""

from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli._options import Json, NoColor

EXAMPLES: Final = """\b
Examples:
  reconciler demo /tmp/demo-world
  reconciler demo demo-world --no-color | less
  reconciler demo demo-world --json                   the comparison at the end; the story on standard error

\b
Exit codes: 0 every file is what it was, 1 one is not
"""

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Made anew; refused if it holds anything else.")]


def demo(folder: Folder, *, as_json: Json = False, no_color: NoColor = False) -> None:
    """Write a small world of real files, move its domain through all stages, and roll everything back."""
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.cli.run.demo import run_demo  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415

    raise typer.Exit(run_demo(folder, SystemClock(), Console.of_process(no_color=no_color), as_json=as_json))
