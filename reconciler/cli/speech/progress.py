"""How a plan is carried out: a bar on a terminal, plain lines elsewhere, JSON lines for programs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from reconciler.app.applying import Round, RoundEnded
from reconciler.app.clock import local
from reconciler.app.copying.outcome import MailboxThrough
from reconciler.cli.exit_codes import of_round
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_words import in_one_line
from reconciler.cli.speech.formats import TEXT, shown
from reconciler.cli.speech.run_words import MailTalk, brief, left_data, named, numbers, verified
from reconciler.mailcopy.job import Progress
from reconciler.model.codec import encode_plan, encode_verdict
from reconciler.model.event import Event, Events, Waiting
from reconciler.model.plan import Step
from reconciler.model.run_event import (
    Planned,
    RunBegun,
    RunEnded,
    StepFoundDone,
    StepHeld,
    StepsBegun,
    StepsDone,
    StepsPutOff,
    StepsStanding,
)
from reconciler.ports import Clock
from reconciler.render.text import Look
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


@dataclass(frozen=True, slots=True)
class View:
    """How plans are shown: of the spec at ``path``, in a format, with the checks that hold or without."""

    path: str
    form: str = TEXT
    verbose: bool = False


@contextmanager
def following(console: Console, clock: Clock, view: View, *, as_json: bool) -> Iterator[Events]:
    """Whoever suits the reader."""
    if as_json:
        yield JsonLines(console, clock)
    elif console.err.isatty():
        bar = Bar(console, clock, view)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield Lines(console, clock, view)


class Lines:
    """The plan, one line for each write that was read back, and what is left; called by several threads."""

    def __init__(self, console: Console, clock: Clock, view: View) -> None:
        """Nothing is said yet."""
        self._console, self._view = console, view
        self._mail = MailTalk(clock)
        self._total = self._count = 0
        self._lock = Lock()

    def tell(self, event: Event, /) -> None:
        """Say it, if there is something to say."""
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case Planned():
                self._show(event)
            case RunBegun(plan):
                self._begin(len(plan.runnable))
            case StepsBegun(steps):
                self._under_way(steps)
            case StepsDone(steps):
                self._on(named(steps), len(steps))
            case StepFoundDone(step):
                self._on(f"{named([step])}: was done already", 1)
            case StepsStanding(steps):
                self._say(f"{named(steps)}: stands already, as the approved plan wants it")
            case RunEnded():
                self._end()
            case RoundEnded(ended):
                self._closing(ended)
            case _:
                if words := _words(event, self._mail):
                    self._say(words)

    def _show(self, planned: Planned) -> None:
        plan, view = planned.plan, self._view
        look = Look(self._console.style, view.verbose, local, view.path, planned.untouched, advises=not plan.runnable)
        self._console.result(shown(plan, view.form, look))

    def _closing(self, ended: Round) -> None:
        if ended.outcome:
            self._console.result(f"{verified(ended, ended.outcome)}\n")

    def _begin(self, total: int) -> None:
        self._total, self._count = total, 0

    def _under_way(self, steps: Sequence[Step]) -> None:
        """Silent: the line comes when it is done."""

    def _on(self, text: str, steps: int) -> None:
        self._count += steps
        wide = len(str(self._total))
        self._say(f"[{self._count:>{wide}}/{self._total}] {text}")

    def _end(self) -> None:
        """Nothing more to say: what is left comes when everything was read again."""

    def _say(self, words: str) -> None:
        self._console.say(words)


class Bar(Lines):
    """The plan and what is left as text; in between a bar on standard error."""

    _bar: "RichProgress | None" = None
    _task: "TaskID"

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _begin(self, total: int) -> None:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to load, and only a terminal needs it
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        text = TextColumn("{task.description}", markup=False)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), text)
        screen = RichConsole(file=self._console.err, no_color=not self._console.talk_style.color)
        self._bar = RichProgress(*columns, console=screen)
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def _under_way(self, steps: Sequence[Step]) -> None:
        self._say(named(steps))

    def _on(self, text: str, steps: int) -> None:
        if self._bar:
            self._bar.update(self._task, advance=steps, description=printable(text))

    def _say(self, words: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=printable(words))

    def _end(self) -> None:
        self.close()


class JsonLines:
    """One JSON object a line on standard output: event, at, and what it is about; called by several threads."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Write to the console's result."""
        self._console, self._clock = console, clock
        self._mail = MailTalk(clock)
        self._lock = Lock()

    def tell(self, event: Event, /) -> None:
        """Write it, if a program can use it."""
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case Planned(plan):
                self._write("plan", plan=encode_plan(plan))
            case StepsBegun(steps):
                self._write("begun", steps=[brief(step) for step in steps])
            case StepsDone(steps):
                self._write("done", steps=[brief(step) for step in steps])
            case StepFoundDone(step):
                self._write("already", steps=[brief(step)])
            case StepsStanding(steps):
                self._write("standing", steps=[brief(step) for step in steps])
            case StepHeld(step):
                self._write("held", steps=[{**brief(step), "verdict": encode_verdict(step.verdict)}])
            case RunEnded(failure) if failure:
                self._write("failed", error=failure)
            case RoundEnded(ended):
                outcome, code = numbers(ended.outcome), int(of_round(ended))
                self._write("finished", outcome=outcome, left=left_data(ended.left), exit_code=code)
            case _:
                if words := _words(event, self._mail):
                    self._write("progress", words=words)

    def _write(self, name: str, **content: Any) -> None:
        data = {"event": name, "at": encoded(self._clock.now()), **content}
        self._console.result(f"{json_text(data)}\n")


def _words(event: Event, mail: MailTalk) -> str:
    """How far a long write is; empty where there is nothing to say."""
    match event:
        case Waiting(words):
            return f"waiting: {words}"
        case StepsPutOff(_, why):
            return why
        case Progress():
            return mail.words(event)
        case MailboxThrough(outcome, number, of):
            return f"mail {number:,}/{of:,}: {in_one_line(outcome)}"
        case _:
            return ""
