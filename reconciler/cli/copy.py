"""``reconciler copy``: bring the stored mail from the old server to the new one."""

from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli._options import Json, NoColor, Spec

EXAMPLES: Final = """\b
Examples:
  reconciler copy migration.yaml --dry-run             which folder goes where, before anything is written
  reconciler copy migration.yaml                       days before, and again as often as you like
  reconciler copy migration.yaml ann@example.org       this mailbox only
  reconciler copy migration.yaml --verify              copy, then compare both sides anew
  reconciler copy migration.yaml --report copy.csv --log-dir logs
  reconciler copy migration.yaml --retry-refused       what a server has refused before, and what is new
  reconciler copy migration.yaml --back                after a rollback: what came since the cutover

\b
Exit codes:
  0 every mailbox is copied, 3 the rest waits (for tomorrow, by a provider's daily limit; for another run that has it),
  4 some mailboxes need a person (a login, a quota, refused messages, a bad verdict), 1 an error or stopped
"""
_REPORTS: Final = (".csv", ".json")


def _reportable(path: Path | None) -> Path | None:
    """The file, if its name says what is to be in it."""
    if path is not None and path.suffix not in _REPORTS:
        msg = f"{path}: a report is written as FILE.csv or FILE.json"
        raise typer.BadParameter(msg)
    return path


def copy(
    spec: Spec,
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS", help="Only these mailboxes of the spec.")
    ] = None,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Compare both sides afterwards, and grade them.")] = False,
    back: Annotated[
        bool, typer.Option("--back", help="From the new server to the old one: what arrived since the cutover.")
    ] = False,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Try messages again that a server has refused before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which folder goes where and why; nothing is written.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write what became of each mailbox: .csv or .json.", callback=_reportable
        ),
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option("--log-dir", metavar="FOLDER", help="A log for each mailbox in this folder.")
    ] = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Copy the mail of all mailboxes, by IMAP or by files, as the spec says; what is there already is not sent again.

    Nothing is deleted or changed on the source, and nothing is deleted on the target. Every message of the source is
    accounted for. Ctrl-C stops after the batch that is under way; the same command goes on from there.
    """
    from reconciler.app.clock import SystemClock  # noqa: PLC0415 - help must not load what the command needs
    from reconciler.app.copying.asked import Asked  # noqa: PLC0415
    from reconciler.cli.run.copy import Manner, run_copy  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415

    asked = Asked(tuple(addresses or ()), back=back, retry_refused=retry_refused)
    manner = Manner(verify=verify, as_json=as_json, report=report, logs=log_dir, dry_run=dry_run)
    raise typer.Exit(run_copy(spec, asked, SystemClock(), Console.of_process(no_color=no_color), manner))
