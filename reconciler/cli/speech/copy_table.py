"""How the copy of the mail goes, as a live table on a terminal."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_words import words_before
from reconciler.mailcopy.job import Progress, State
from reconciler.model.event import Event
from reconciler.ports import Clock
from reconciler.wording.printable import printable
from reconciler.wording.sizes import octets, span

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_LAST: Final = 6  # the column of the last pass, which a first one does without
_ROWS: Final = 8  # lines of a terminal that the table leaves to its head, its foot and what stands above


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
    begun: PassBegun
    standing: dict[str, Standing] = field(default_factory=dict)
    through: dict[str, Outcome] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, event: Event, /) -> None:
        """Take note: a mailbox that is through leaves the table, unless a person should look."""
        with self.lock:
            match event:
                case Progress():
                    known = self.standing.setdefault(event.account, Standing(event))
                    known.progress = event
                    if event.state is State.COPYING and known.began is None:
                        known.began = self.clock.now()
                case MailboxThrough(outcome):
                    self.through[outcome.address] = outcome
                case _:
                    pass

    def table(self, height: int, width: int) -> "Table":
        """As it is now, in so many lines and columns."""
        from rich.table import Table  # noqa: PLC0415 - slow to load, and only a terminal needs it
        from rich.text import Text  # noqa: PLC0415

        now = self.clock.now()
        with self.lock:
            running = [each for name, each in self.standing.items() if name not in self.through]
            trouble = [each for each in self.through.values() if each.words or each.unjudged]
        rate = sum(each.rate(now) for each in running)
        foot = f"{len(self.through):,} of {self.begun.mailboxes:,} mailboxes are through, {octets(int(rate))}/s"
        if told := self.begun.forecast.words():
            foot += f"; {told}"
        table = Table(box=None, expand=False, caption=Text(printable(foot)), caption_justify="left")
        rows = [self._running(each, now) for each in running]
        rows += [
            (o.address, o.state, f"{o.tally.count:,}", "", "", "", self._last(o.address), o.words or o.unjudged)
            for o in trouble
        ]
        names: tuple[str, ...] = ("mailbox", "state", "messages", "size", "rate", "left", "last pass", "")
        if not self.begun.passes:
            names, *rows = [each[:_LAST] + each[_LAST + 1 :] for each in (names, *rows)]
        for name in names:
            table.add_column(name, no_wrap=True, justify="right" if name in {"messages", "size", "rate"} else "left")
        figures = sum(2 + max(len(each[place]) for each in (names, *rows)) for place in range(len(names) - 1))
        for row in rows[: max(1, height - _ROWS)]:
            *cells, words = (printable(cell) for cell in row)
            table.add_row(*map(Text, cells), Text(words[: max(0, width - figures - 2)]))  # words are cut, figures not
        return table

    def _last(self, account: str) -> str:
        last = self.begun.passes.get(account)
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


class LiveTable:
    """The table of a pass, drawn again and again on standard error; called by several threads."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Draw nothing yet."""
        self._console, self._clock = console, clock
        self.screen: Screen | None = None
        self._live: Live | None = None

    def tell(self, event: Event, /) -> None:
        """Begin with the pass; before it, say what is done."""
        if isinstance(event, PassBegun):
            self._begin(event)
        elif self.screen:
            self.screen.tell(event)
        elif words := words_before(event):
            self._console.say(words)

    def close(self) -> None:
        """Leave the last table on the terminal."""
        if self._live:
            self._live.stop()
            self._live = None

    def _begin(self, begun: PassBegun) -> None:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to load, and only a terminal needs it
        from rich.live import Live  # noqa: PLC0415

        rich = RichConsole(file=self._console.err, no_color=not self._console.talk_style.color)
        screen = self.screen = Screen(self._clock, begun)
        draw: Callable[[], Table] = lambda: screen.table(rich.height, rich.width)  # noqa: E731 - Live wants a function
        self._live = Live(
            get_renderable=draw, console=rich, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
