"""How the copy of the mail goes: a live table on a terminal, plain lines elsewhere, JSON lines for programs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.outcome import MailboxThrough
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_report import as_data
from reconciler.cli.speech.copy_table import LiveTable
from reconciler.cli.speech.copy_words import in_one_line, words_before
from reconciler.mailcopy.job import Progress, State
from reconciler.model.event import Event, Events
from reconciler.ports import Clock
from reconciler.wording.json_text import json_text
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable

_TALK_EVERY: Final = timedelta(seconds=5)  # a mailbox that is being copied, in lines that a program reads


@contextmanager
def watching(console: Console, clock: Clock, *, as_json: bool) -> Iterator[Events]:
    """Whoever suits the reader."""
    if as_json:
        yield JsonLines(console, clock)
    elif console.err.isatty():
        table = LiveTable(console, clock)
        try:
            yield table
        finally:
            table.close()
    else:
        yield Lines(console)


class Lines:
    """One line for each mailbox that is through, and for each that has to wait; called by several threads."""

    def __init__(self, console: Console) -> None:
        """Nothing is said yet."""
        self._console = console
        self._forecast: Forecast | None = None
        self._lock = threading.Lock()

    def tell(self, event: Event, /) -> None:
        """Say it, if there is something to say."""
        with self._lock:
            match event:
                case PassBegun(_, forecast):
                    self._forecast = forecast
                case Progress():
                    self._come_on(event)
                case MailboxThrough():
                    self._through(event)
                case _:
                    if words := words_before(event):
                        self._console.say(words)

    def _come_on(self, progress: Progress) -> None:
        if progress.state is State.WAITING:
            self._console.say(f"{progress.account}: waiting: {printable(progress.words)}")

    def _through(self, event: MailboxThrough) -> None:
        wide = len(str(event.of))
        told = self._forecast.words() if self._forecast and event.number < event.of else ""
        line = f"[{event.number:>{wide}}/{event.of}] {in_one_line(event.outcome)}"
        self._console.say(f"{line}; {told}" if told else line)


class JsonLines:
    """One JSON object a line on standard output: event, at, and what it is about; called by several threads."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Write to the console's result."""
        self._console, self._clock = console, clock
        self._forecast: Forecast | None = None
        self._last: dict[str, tuple[State, datetime]] = {}
        self._lock = threading.Lock()

    def tell(self, event: Event, /) -> None:
        """Each new state, every few seconds how far it is, each mailbox that is through, and how it looks for all."""
        with self._lock:
            match event:
                case PassBegun(_, forecast):
                    self._forecast = forecast
                case Progress():
                    self._come_on(event)
                case MailboxThrough(outcome):
                    if told := self._forecast.data() if self._forecast else None:
                        self._write("forecast", **told)
                    self._write("mailbox", **as_data(outcome))
                case _:
                    if words := words_before(event):
                        self._console.say(words)

    def _come_on(self, progress: Progress) -> None:
        now = self._clock.now()
        before = self._last.get(progress.account)
        if before and before[0] is progress.state and now - before[1] < _TALK_EVERY:
            return
        self._last[progress.account] = progress.state, now
        self._write(
            "progress",
            mailbox=progress.account,
            state=progress.state.value,
            folder=progress.folder,
            messages=progress.messages,
            of_messages=progress.of_messages,
            octets=progress.octets,
            of_octets=progress.of_octets,
            words=progress.words,
        )

    def _write(self, event: str, **content: Any) -> None:
        self._console.result(f"{json_text({'event': event, 'at': encoded(self._clock.now()), **content})}\n")
