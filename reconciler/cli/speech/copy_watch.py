"""How the copy of the mail goes: a live table on a terminal, plain lines elsewhere, JSON lines for programs."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.outcome import Outcome
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_report import as_data, sent
from reconciler.mailcopy.job import Progress, State
from reconciler.model.last_pass import LastPass
from reconciler.ports import Clock
from reconciler.wording.machine_times import encoded
from reconciler.wording.sizes import octets, shown, span

if TYPE_CHECKING:
    from rich.table import Table

UNDER_WAY: Final = (State.LOOKING, State.COPYING, State.WAITING)
_TALK_EVERY: Final = timedelta(seconds=5)  # a mailbox that is being copied, in lines that a program reads
_LAST: Final = 6  # the column of the last pass, which a first one does without
_ROWS: Final = 8  # lines of a terminal that the table leaves to its head, its foot and what stands above


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before the pass: ``passes`` by mailbox are the last ones that got to their end."""

    forecast: Forecast
    passes: Mapping[str, LastPass] = field(default_factory=dict)


class Watch(Protocol):
    """Hears how it goes; called by several threads."""

    def tell(self, progress: Progress, /) -> None:
        """A sign of life of one mailbox."""

    def ended(self, outcome: Outcome, /) -> None:
        """A mailbox is through, judged too if that was asked for."""


@contextmanager
def watching(
    console: Console, clock: Clock, mailboxes: int, *, as_json: bool, known: Known | None = None
) -> Iterator[Watch]:
    """The Watch that suits the reader."""
    known = known or Known(Forecast(clock))
    if as_json:
        yield Events(console, clock, known.forecast)
    elif console.err.isatty():
        with _live(console, clock, mailboxes, known) as watch:
            yield watch
    else:
        yield Lines(console, mailboxes, known.forecast)


class Lines:
    """One line for each mailbox that is through, and for each that has to wait."""

    def __init__(self, console: Console, mailboxes: int, forecast: Forecast) -> None:
        """Count up to ``mailboxes``."""
        self._console, self._mailboxes, self._forecast = console, mailboxes, forecast
        self._count = 0
        self._lock = threading.Lock()

    def tell(self, progress: Progress, /) -> None:
        """Silent, unless a server wants a pause."""
        self._forecast.tell(progress)
        if progress.state is State.WAITING:
            with self._lock:
                self._console.say(f"{progress.account}: waiting: {shown(progress.words)}")

    def ended(self, outcome: Outcome, /) -> None:
        """How it ended, and how far we are."""
        self._forecast.ended(outcome.address, limited=outcome.state == State.LIMITED)
        with self._lock:
            self._count += 1
            wide = len(str(self._mailboxes))
            told = self._forecast.words() if self._count < self._mailboxes else ""
            line = f"[{self._count:>{wide}}/{self._mailboxes}] {in_one_line(outcome)}"
            self._console.say(f"{line}; {told}" if told else line)


def in_one_line(outcome: Outcome) -> str:
    """``ann@example.org: done, 2,000 messages, 50 sent (1.2 MB)``."""
    tally = outcome.tally
    line = (
        f"{outcome.address}: {outcome.state}, {tally.count:,} messages, {sent(tally):,} sent ({octets(tally.octets)})"
    )
    if outcome.grade:
        line += f", {outcome.grade.value}"
    return f"{line}: {shown(outcome.words)}" if outcome.words else line


class Events:
    """One JSON object a line on standard output: event, at, and what it is about."""

    def __init__(self, console: Console, clock: Clock, forecast: Forecast) -> None:
        """Write to the console's result."""
        self._console, self._clock, self._forecast = console, clock, forecast
        self._last: dict[str, tuple[State, datetime]] = {}
        self._lock = threading.Lock()

    def tell(self, progress: Progress, /) -> None:
        """Each new state, and every few seconds how far it is."""
        self._forecast.tell(progress)
        now = self._clock.now()
        with self._lock:
            before = self._last.get(progress.account)
            if before and before[0] is progress.state and now - before[1] < _TALK_EVERY:
                return
            self._last[progress.account] = progress.state, now
            self._write(
                "progress",
                now,
                mailbox=progress.account,
                state=progress.state.value,
                folder=progress.folder,
                messages=progress.messages,
                of_messages=progress.of_messages,
                octets=progress.octets,
                of_octets=progress.of_octets,
                words=progress.words,
            )

    def ended(self, outcome: Outcome, /) -> None:
        """All that is known of it, and how it looks for all of them."""
        self._forecast.ended(outcome.address, limited=outcome.state == State.LIMITED)
        with self._lock:
            if told := self._forecast.data():
                self._write("forecast", self._clock.now(), **told)
            self._write("mailbox", self._clock.now(), **as_data(outcome))

    def _write(self, event: str, at: datetime, **content: Any) -> None:
        self._console.result(f"{json.dumps({'event': event, 'at': encoded(at), **content})}\n")


@dataclass(slots=True)
class Standing:
    """One mailbox on the screen; ``began``: when its messages began to flow."""

    progress: Progress
    began: datetime | None = None

    def rate(self, now: datetime) -> float:
        """Octets a second so far."""
        seconds = (now - self.began).total_seconds() if self.began else 0.0
        return self.progress.octets / seconds if seconds > 0 else 0.0

    def left(self, now: datetime) -> timedelta | None:
        """How much longer the folders that it knows of will take."""
        rate = self.rate(now)
        to_go = self.progress.of_octets - self.progress.octets
        return timedelta(seconds=to_go / rate) if rate and to_go > 0 else None


@dataclass(slots=True)
class Screen:
    """What the table shows: mailboxes under way first, then those that ended with trouble."""

    clock: Clock
    mailboxes: int
    known: Known
    standing: dict[str, Standing] = field(default_factory=dict)
    through: dict[str, Outcome] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, progress: Progress, /) -> None:
        """Take note."""
        self.known.forecast.tell(progress)
        with self.lock:
            known = self.standing.setdefault(progress.account, Standing(progress))
            known.progress = progress
            if progress.state is State.COPYING and known.began is None:
                known.began = self.clock.now()

    def ended(self, outcome: Outcome, /) -> None:
        """It leaves the table, unless a person should look."""
        self.known.forecast.ended(outcome.address, limited=outcome.state == State.LIMITED)
        with self.lock:
            self.through[outcome.address] = outcome

    def table(self, height: int, width: int) -> "Table":
        """As it is now, in so many lines and columns."""
        from rich.table import Table  # noqa: PLC0415 - slow to load, and only a terminal needs it
        from rich.text import Text  # noqa: PLC0415

        now = self.clock.now()
        with self.lock:
            running = [each for name, each in self.standing.items() if name not in self.through]
            trouble = [each for each in self.through.values() if each.words or each.unjudged]
        rate = sum(each.rate(now) for each in running)
        foot = f"{len(self.through):,} of {self.mailboxes:,} mailboxes are through, {octets(int(rate))}/s"
        if told := self.known.forecast.words():
            foot += f"; {told}"
        table = Table(box=None, expand=False, caption=foot, caption_justify="left")
        rows = [self._running(each, now) for each in running]
        rows += [
            (o.address, o.state, f"{o.tally.count:,}", "", "", "", self._last(o.address), o.words or o.unjudged)
            for o in trouble
        ]
        names: tuple[str, ...] = ("mailbox", "state", "messages", "size", "rate", "left", "last pass", "")
        if not self.known.passes:
            names, *rows = [each[:_LAST] + each[_LAST + 1 :] for each in (names, *rows)]
        for name in names:
            table.add_column(name, no_wrap=True, justify="right" if name in {"messages", "size", "rate"} else "left")
        figures = sum(2 + max(len(each[place]) for each in (names, *rows)) for place in range(len(names) - 1))
        for row in rows[: max(1, height - _ROWS)]:
            *cells, words = (shown(cell) for cell in row)
            table.add_row(*map(Text, cells), Text(words[: max(0, width - figures - 2)]))  # words are cut, figures not
        return table

    def _last(self, account: str) -> str:
        last = self.known.passes.get(account)
        return f"{last.copied.astimezone(UTC):%m-%d %H:%M}" if last and last.copied else ""

    def _running(self, standing: Standing, now: datetime) -> tuple[str, ...]:
        told = standing.progress
        left = standing.left(now)
        return (
            told.account,
            told.state.value,
            f"{told.messages:,}/{told.of_messages:,}",
            octets(told.octets),
            f"{octets(int(standing.rate(now)))}/s" if standing.began else "",
            span(left) if left else "",
            self._last(told.account),
            told.words or told.folder,
        )


@contextmanager
def _live(console: Console, clock: Clock, mailboxes: int, known: Known) -> Iterator[Watch]:
    from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to load, and only a terminal needs it
    from rich.live import Live  # noqa: PLC0415

    rich = RichConsole(file=console.err, no_color=not console.talk_style.color)
    screen = Screen(clock, mailboxes, known)
    draw: Callable[[], Table] = lambda: screen.table(rich.height, rich.width)  # noqa: E731 - Live wants a function
    with Live(get_renderable=draw, console=rich, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False):
        yield screen
