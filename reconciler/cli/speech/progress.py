"""How far a run has come: a bar on a terminal, plain lines elsewhere, JSON lines for programs."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from reconciler.cli.speech.console import Console
from reconciler.model.codec import encode_verdict
from reconciler.model.plan import Plan, Step
from reconciler.ports import Clock, Progress
from reconciler.render.phrases.naming import PLACES, thing
from reconciler.wording.machine_times import encoded

_NAME_SERVERS: Final = logging.getLogger("reconciler.dns")
"""Where it is said which name servers a write still waits for."""


@contextmanager
def following(plan: Plan, console: Console, clock: Clock, *, as_json: bool) -> Iterator[Progress]:
    """The Progress that suits the reader; it is told, too, which name servers have not followed yet."""
    with _progress(len(plan.runnable), console, clock, as_json=as_json) as progress, _overhearing(progress.tell):
        yield progress


@contextmanager
def _progress(total: int, console: Console, clock: Clock, *, as_json: bool) -> Iterator[Progress]:
    if as_json:
        yield Events(console, clock)
    elif console.err.isatty():
        with _bar(console, total) as progress:
            yield progress
    else:
        yield Lines(console, total)


@contextmanager
def _overhearing(tell: Callable[[str], None]) -> Iterator[None]:
    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(f"waiting: {record.getMessage()}")

    ear, level = Ear(logging.INFO), _NAME_SERVERS.level
    _NAME_SERVERS.addHandler(ear)
    _NAME_SERVERS.setLevel(logging.INFO)
    try:
        yield
    finally:
        _NAME_SERVERS.setLevel(level)
        _NAME_SERVERS.removeHandler(ear)


class Lines:
    """One line for each write that was read back."""

    def __init__(self, console: Console, total: int) -> None:
        """Count up to ``total`` steps."""
        self._console = console
        self._total = total
        self._count = 0

    def begun(self, steps: Sequence[Step], /) -> None:
        """Silent: the line comes when it is done."""

    def done(self, steps: Sequence[Step], /) -> None:
        """What was done, and how far we are."""
        self._tell(_named(steps), len(steps))

    def already(self, step: Step, /) -> None:
        """Found done."""
        self._tell(f"{_named([step])}: was done already", 1)

    def held(self, step: Step, /) -> None:
        """Silent: the plan that follows tells."""

    def tell(self, words: str, /) -> None:
        """A line of its own."""
        self._console.say(words)

    def _tell(self, text: str, steps: int) -> None:
        self._count += steps
        wide = len(str(self._total))
        self._console.say(f"[{self._count:>{wide}}/{self._total}] {text}")


class Events:
    """One JSON object a line on standard output: event, at, steps."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Write to the console's result."""
        self._console = console
        self._clock = clock

    def event(self, name: str, **content: Any) -> None:
        """One line."""
        data = {"event": name, "at": encoded(self._clock.now()), **content}
        self._console.result(f"{json.dumps(data)}\n")

    def begun(self, steps: Sequence[Step], /) -> None:
        """These are being written."""
        self.event("begun", steps=[_brief(step) for step in steps])

    def done(self, steps: Sequence[Step], /) -> None:
        """These were written and read back."""
        self.event("done", steps=[_brief(step) for step in steps])

    def already(self, step: Step, /) -> None:
        """An earlier run has done it."""
        self.event("already", steps=[_brief(step)])

    def held(self, step: Step, /) -> None:
        """It does not run now."""
        self.event("held", steps=[{**_brief(step), "verdict": encode_verdict(step.verdict)}])

    def tell(self, words: str, /) -> None:
        """How far a long write is."""
        self.event("progress", words=words)


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Progress]:
    from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to load, and only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    screen = RichConsole(file=console.err, no_color=not console.talk_style.color)
    with RichProgress(*columns, console=screen) as bar:
        task = bar.add_task("", total=total)

        class Bar(Lines):
            def begun(self, steps: Sequence[Step], /) -> None:
                bar.update(task, description=_named(steps))

            def tell(self, words: str, /) -> None:
                bar.update(task, description=words)

            def _tell(self, text: str, steps: int) -> None:
                bar.update(task, advance=steps, description=text)

        yield Bar(console, total)


def _named(steps: Sequence[Step]) -> str:
    """``+ mailbox ann@example.org (new server)``, and how many more are in the same write."""
    first = steps[0].change
    more = f" and {len(steps) - 1:,} more" if len(steps) > 1 else ""
    return f"{first.verb.value} {thing(first.address)}{more} ({PLACES[first.address.place]})"


def _brief(step: Step) -> dict[str, Any]:
    change = step.change
    return {"number": step.number, "address": str(change.address), "verb": change.verb.value}
