"""``reconciler status``: where the move stands."""

from typing import Final

import typer

from reconciler.cli._options import Json, NoColor, Spec

EXAMPLES: Final = """\b
Examples:
  reconciler status migration.yaml
  reconciler status migration.yaml --json

\b
Exit codes: 0 unless something could not be read
"""


def status(spec: Spec, *, as_json: Json = False, no_color: NoColor = False) -> None:
    """Tell where the move stands: its stage, what caches may still hold, who has not moved, and what is next."""
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.cli.run.status import run_status  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415

    raise typer.Exit(run_status(spec, SystemClock(), Console.of_process(no_color=no_color), as_json=as_json))
