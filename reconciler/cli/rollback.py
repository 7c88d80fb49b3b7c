"""``reconciler rollback``: put back what runs have changed."""

from typing import Annotated, Final

import typer

from reconciler.cli._options import Format, Json, NoColor, Spec, Undone, Verbose, Yes

EXAMPLES: Final = """\b
Examples:
  reconciler rollback migration.yaml --run 3                  undo one run
  reconciler rollback migration.yaml --stage cutover          undo cutover and every later stage
  reconciler rollback migration.yaml --all --plan-only        look first

\b
Exit codes: as of apply; with --plan-only as of plan
"""


def rollback(
    spec: Spec,
    *,
    run: Annotated[int | None, typer.Option("--run", metavar="N", min=1, help="Undo this run (see history).")] = None,
    stage: Undone = None,
    everything: Annotated[bool, typer.Option("--all", help="Undo everything that this move has changed.")] = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Show the plan, write nothing.")] = False,
    yes: Yes = False,
    form: Format = "text",
    as_json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Put back what stood before a run, before STAGE and all later ones, or before the whole move.

    Shows its own plan first and asks. What somebody else has changed since is not overwritten. No mail is removed.
    """
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.app.rolling_back import Selection  # noqa: PLC0415
    from reconciler.cli.run.rollback import run_rollback  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415
    from reconciler.cli.speech.manner import Manner  # noqa: PLC0415
    from reconciler.model.stage import Stage  # noqa: PLC0415

    if (run is not None) + (stage is not None) + everything != 1:
        msg = "say what to undo: one of --run N, --stage STAGE and --all"
        raise typer.BadParameter(msg, param_hint="--run / --stage / --all")
    form = "json" if as_json and plan_only else form
    manner = Manner(Console.of_process(no_color=no_color), yes, as_json, form, verbose)
    selection = Selection(run, Stage.of(stage) if stage else None)
    raise typer.Exit(run_rollback(spec, SystemClock(), manner, selection, plan_only=plan_only))
