"""The program ``reconciler``: its commands wired together, and how it ends.

Nothing but Typer is loaded here, so that help and completion come at once.
"""

import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli import apply, copy, demo, history, plan, rollback, schema, status, validate

_ABOUT: Final = """Move a mail domain between servers without losing a message.

A spec says where the move stands and what must be true. plan shows the changes that lead there, each with its verdict;
apply carries out what may run now, and rollback puts it back.
"""
_EPILOG: Final = """\b
Exit codes:
  0  nothing to do, or all done
  1  an error, a wrong command line, or stopped by a person
  2  changes are planned that can run now
  3  all that is left waits until its time
  4  blocked, or to be done by hand, and nothing can run
  5  stale: the world or the spec is not what the plan was made for
  130  stopped at once by a second Ctrl-C

\b
Environment:
  NO_COLOR, FORCE_COLOR     never or always colour
  RECONCILER_LOG_FILE, RECONCILER_LOG_LEVEL    as --log-file and --log-level
  RECONCILER_TRACEBACK=1    show where an unexpected error came from

\b
The usual way:
  reconciler validate migration.yaml
  reconciler plan migration.yaml
  reconciler apply migration.yaml
  reconciler status migration.yaml
"""
_FAILED: Final = 1
_STOPPED_AT_ONCE: Final = 130  # what shells give for SIGINT
_MANY: Final = 1_000_000  # new objects between two looks for garbage: a plan keeps nearly all it makes
# The one base of Typer's errors about the command line; which module holds it differs between versions of Typer.
_CommandLineError: Final[type[Exception]] = typer.BadParameter.__mro__[2]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - see the first lines of this module

        typer.echo(f"reconciler {metadata.version('reconciler')}")
        raise typer.Exit


def _known_level(level: str | None) -> str | None:
    from reconciler.cli.logs import LEVELS  # noqa: PLC0415 - see the first lines of this module

    if level is not None and level.lower() not in LEVELS:
        msg = f"{level!r} is not a level; the levels are {', '.join(LEVELS)}"
        raise typer.BadParameter(msg)
    return level and level.lower()


def _begin(
    context: typer.Context,
    log_level: Annotated[
        str | None,
        typer.Option(
            "--log-level",
            metavar="LEVEL",
            help="Log more or less: debug, info, warning or error.",
            callback=_known_level,
            envvar="RECONCILER_LOG_LEVEL",
        ),
    ] = None,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            metavar="FILE",
            help="Add the log to FILE instead of standard error.",
            envvar="RECONCILER_LOG_FILE",
        ),
    ] = None,
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""
    from reconciler.cli.logs import kept  # noqa: PLC0415 - see the first lines of this module

    context.with_resource(kept(log_level, log_file))


def _wired() -> typer.Typer:
    app = typer.Typer(
        name="reconciler",
        no_args_is_help=True,
        rich_markup_mode=None,  # half of the time that --help may take
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    )
    app.callback(help=_ABOUT, epilog=_EPILOG)(_begin)
    for command, short, examples in (
        (validate.validate, "Check specs; contacts nothing.", validate.EXAMPLES),
        (plan.plan, "Show what would change; changes nothing.", plan.EXAMPLES),
        (apply.apply, "Carry out what may run now, after asking.", apply.EXAMPLES),
        (rollback.rollback, "Put back what stood before, after asking.", rollback.EXAMPLES),
        (copy.copy, "Copy the mail; deletes nothing anywhere.", copy.EXAMPLES),
        (status.status, "Tell where the move stands and what is next.", status.EXAMPLES),
        (history.history, "List the runs of a move and their steps.", history.EXAMPLES),
        (schema.schema, "Print the JSON Schema, or the products.", schema.EXAMPLES),
        (demo.demo, "See the whole job on a small world of files.", demo.EXAMPLES),
    ):
        app.command(command.__name__, short_help=short, epilog=examples)(command)
    return app


app = _wired()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; no exception leaves it."""
    gc.set_threshold(_MANY)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character must not end a run
    try:
        code = app(args=arguments, prog_name="reconciler", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more to say
        return _FAILED
    except _CommandLineError as error:
        _show_command_line_error(error)
        return _FAILED
    except Exception as error:  # noqa: BLE001 - the last place where an error can be told in words
        code = _told(error)
        _let_go_of_full_streams()
        return code
    if code == _STOPPED_AT_ONCE:
        typer.echo("stopped at once; what was begun is in the journal, and apply goes on from there", err=True)
    return code if isinstance(code, int) else 0


def _let_go_of_full_streams() -> None:
    """What cannot be written now is not tried again at the very end, where Python would end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_closed_streams() -> None:
    """Where a standard stream was closed, put nothing in its place: else the next file opened would get its number.

    Python then has None for the stream; a cron job or a service can be started like that.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _show_command_line_error(error: Exception) -> None:
    """What was typed, or the name of a file that a shell put there, is in it."""
    from reconciler.wording.printable import printable_lines  # noqa: PLC0415 - see the first lines of this module

    show = getattr(error, "show", None)
    assert show is not None
    told = io.StringIO()
    show(file=told)
    sys.stderr.write(printable_lines(told.getvalue()))


def _told(error: Exception) -> int:
    """An error that nobody has handled: ours in its own words, any other as the bug that it is."""
    from reconciler.cli.exit_codes import Code, of_error  # noqa: PLC0415
    from reconciler.cli.speech.console import Console  # noqa: PLC0415 - see the first lines of this module
    from reconciler.errors import ReconcilerError  # noqa: PLC0415

    console = Console.of_process()
    if os.environ.get("RECONCILER_TRACEBACK"):
        import traceback  # noqa: PLC0415

        console.say_lines("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, ReconcilerError):
        console.complain(error)
        return of_error(error)
    if isinstance(error, OSError):
        console.complain(ReconcilerError(_of_system(error)))
        return Code.FAILED
    bug = f"this is a bug in reconciler: {type(error).__name__}: {error}"
    console.complain(ReconcilerError(bug))
    console.say("set RECONCILER_TRACEBACK=1 to see where it happened, and report it")
    return Code.FAILED


def _of_system(error: OSError) -> str:
    """What the system has refused."""
    reason = (error.strerror or str(error)).lower()
    if error.filename:
        return f"{error.filename}: {reason}; mend that and run the same command again"
    if error.errno == errno.ENOENT:
        return "the working directory is not there any more: change to another one and run the same command again"
    return f"{reason}; what was written before stands, and apply goes on from there: mend that and run it again"


if __name__ == "__main__":
    sys.exit(main())
