"""``reconciler schema``: what a spec may say, for editors and people."""

from pathlib import Path
from typing import Annotated, Final

import typer

EXAMPLES: Final = """\b
Examples:
  reconciler schema --out migration.schema.json
  reconciler schema --backends
  reconciler schema --backends --json

\b
An editor with a YAML language server completes and checks a spec that begins with:
  # yaml-language-server: $schema=migration.schema.json
"""


def schema(
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it to a file.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="The format of saved plans instead.")] = False,
    backends: Annotated[bool, typer.Option("--backends", help="List server and DNS products instead.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The products as JSON, with their options; a schema is JSON anyway.")
    ] = False,
) -> None:
    """Print the JSON Schema of a spec, or list the products that a spec may name."""
    from reconciler.cli.run.schema import run_schema  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415 - help must not load what the command needs

    raise typer.Exit(run_schema(Console.of_process(), out=out, plan=plan, backends=backends, as_json=as_json))
