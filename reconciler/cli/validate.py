"""``reconciler validate``: whether specs are sound."""

from typing import Final

import typer

from reconciler.cli._options import Json, NoColor, Specs

EXAMPLES: Final = """\b
Examples:
  reconciler validate migration.yaml
  reconciler validate --json moves/*.yaml
"""


def validate(specs: Specs, *, as_json: Json = False, no_color: NoColor = False) -> None:
    """Check specs, and tell all their problems with file, line and column.

    No server and no zone is read.
    """
    from reconciler.cli.run.validate import run_validate  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415 - help must not load what the command needs

    raise typer.Exit(run_validate(specs, Console.of_process(no_color=no_color), as_json=as_json))
