"""Options that several commands share, and how their values are completed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer


def _specs(incomplete: str) -> Iterator[str]:
    """YAML files, and folders on the way to them."""
    return _files(incomplete, (".yaml", ".yml"))


def _specs_and_plans(incomplete: str) -> Iterator[str]:
    """YAML files, saved plans, and folders on the way to them."""
    return _files(incomplete, (".yaml", ".yml", ".json"))


def _files(incomplete: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    folder, slash, begun = incomplete.rpartition("/")
    start = Path(f"{folder}{slash}" or ".")
    if not start.is_dir():
        return
    found = [path for path in sorted(start.iterdir()) if path.name.startswith(begun)]
    named = [f"{folder}{slash}{path.name}" for path in found if path.suffix in suffixes and not path.is_dir()]
    folders = [f"{folder}{slash}{path.name}/" for path in found if path.is_dir() and not path.name.startswith(".")]
    inside = list(_files(folders[0], suffixes)) if len(folders) == 1 and not named else []
    yield from inside or [*named, *folders]  # a shell puts a blank after the only answer, and the way would end there


def _stages(incomplete: str) -> Iterator[str]:
    from reconciler.model.stage import Stage  # noqa: PLC0415 - commands load what they need when they are called

    return (stage.label for stage in Stage if stage.label.startswith(incomplete.lower()))


def _formats(incomplete: str) -> Iterator[str]:
    from reconciler.cli.speech.formats import format_names  # noqa: PLC0415

    return (name for name in format_names() if name.startswith(incomplete))


def _stage_if_given(label: str | None) -> str | None:
    """The label, if there is such a stage."""
    from reconciler.model.stage import Stage  # noqa: PLC0415

    try:
        return Stage.of(label).label if label else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _known_format(name: str) -> str:
    """The name, if plans can be shown so."""
    from reconciler.cli.speech.formats import format_names  # noqa: PLC0415

    if name not in format_names():
        msg = f"{name!r} is not a format; the formats are {', '.join(format_names())}"
        raise typer.BadParameter(msg)
    return name


# readable=False: not asked by Typer, whose words are about the command line; loading says more, for each spec
Specs = Annotated[
    list[Path], typer.Argument(metavar="SPEC", help="One spec a move.", autocompletion=_specs, readable=False)
]
Spec = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The spec of the move.", autocompletion=_specs, readable=False)
]
SpecsOrPlan = Annotated[
    list[Path],
    typer.Argument(
        metavar="SPEC|PLAN.json", help="Specs, or one saved plan.", autocompletion=_specs_and_plans, readable=False
    ),
]
Ahead = Annotated[
    str | None,
    typer.Option(
        "--stage", metavar="STAGE", help="Look ahead to STAGE.", autocompletion=_stages, callback=_stage_if_given
    ),
]
Undone = Annotated[
    str | None,
    typer.Option(
        "--stage",
        metavar="STAGE",
        help="Undo STAGE and every later one.",
        autocompletion=_stages,
        callback=_stage_if_given,
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How plans are shown: text, markdown, json or html.",
        autocompletion=_formats,
        callback=_known_format,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show also the checks that hold, with what they saw.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour (as the environment variable NO_COLOR).")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")]
