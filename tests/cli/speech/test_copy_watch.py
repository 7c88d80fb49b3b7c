import io
import json
from datetime import timedelta

import pytest
from rich.console import Console as Rich

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.forecast import Forecast, Load
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.copy_table import LiveTable, Screen
from reconciler.cli.speech.copy_watch import watching
from reconciler.mailcopy.job import Progress, State
from reconciler.mailcopy.model.accounting import Tally
from reconciler.model.event import Together
from reconciler.model.last_pass import LastPass
from reconciler.wording.sizes import octets, span
from tests.support.clock import MONDAY_MORNING, FakeClock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(err, *, as_json=False):
    """Two mailboxes: one is copied after a pause, the other's login is refused."""
    clock = FakeClock()
    console = Console(io.StringIO(), err, io.StringIO(), color=False)
    with watching(console, clock, as_json=as_json) as watch:
        watch.tell(PassBegun(2, Forecast(clock)))
        watch.tell(Progress("ann@example.org", State.LOOKING))
        watch.tell(Progress("ann@example.org", State.COPYING, "Work\x1b[2J", 0, 0, 100, 4_000_000))
        clock.advance(1)
        watch.tell(Progress("ann@example.org", State.COPYING, "Work\x1b[2J", 25, 1_000_000, 100, 4_000_000))
        watch.tell(Progress("ann@example.org", State.WAITING, words="[LIMIT] slow down\x1b[2J"))
        watch.tell(Progress("ann@example.org", State.COPYING, "Work\x1b[2J", 50, 1_000_000, 100, 4_000_000))
        if isinstance(err, Terminal):
            shown = io.StringIO()
            assert isinstance(watch, LiveTable)
            assert watch.screen
            Rich(file=shown, width=120).print(watch.screen.table(30, 120))
            err.write(shown.getvalue())
        watch.tell(MailboxThrough(Outcome("bob@example.org", State.AUTH_LOST.value, "the server says no"), 1, 2))
        done = Outcome("ann@example.org", State.DONE.value, tally=Tally(count=100, copied=100, new=100))
        watch.tell(MailboxThrough(done, 2, 2))
    return console


def test_plain_lines_count_mailboxes_and_tell_of_pauses():
    assert told(io.StringIO()).err.getvalue() == (
        "ann@example.org: waiting: [LIMIT] slow down\\x1b[2J\n"
        "[1/2] bob@example.org: auth lost, 0 messages, 0 sent (0 B): the server says no\n"
        "[2/2] ann@example.org: done, 100 messages, 100 sent (0 B)\n"
    )


def test_programs_get_each_new_state_and_each_mailbox_on_standard_output():
    console = told(io.StringIO(), as_json=True)
    assert console.err.getvalue() == ""
    events = [json.loads(line) for line in console.out.getvalue().splitlines()]
    assert [(e["event"], e["state"]) for e in events] == [
        ("progress", "looking"),
        ("progress", "copying"),
        ("progress", "waiting"),
        ("progress", "copying"),
        ("mailbox", "auth lost"),
        ("mailbox", "done"),
    ]
    assert (events[5]["count"], events[5]["copied"], events[5]["grade"]) == (100, 100, None)


def test_a_terminal_gets_a_table_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    shown = told(Terminal()).err.getvalue()
    row = next(line for line in shown.splitlines() if "ann@example.org" in line and "50/100" in line)
    assert row.split()[:9] == ["ann@example.org", "copying", "50/100", "1.0", "MB", "1.0", "MB/s", "3", "s"]
    assert "Work\\x1b[2J" in row
    assert "0 of 2 mailboxes are through" in shown
    assert "the server says no" in shown.rpartition("mailboxes are through")[0]


def test_the_table_shows_the_last_pass_and_when_all_is_through_against_the_cutover():
    clock = FakeClock()
    forecast = Forecast(clock, {"ann@example.org": Load(9_000_000)}, MONDAY_MORNING + timedelta(hours=5))
    last = {"ann@example.org": LastPass(MONDAY_MORNING - timedelta(days=1))}
    screen = Screen(clock, PassBegun(2, forecast, last))
    heard = Together(forecast, screen)
    heard.tell(Progress("ann@example.org", State.COPYING, "Work", 0, 0, 90, 9_000_000))
    clock.advance(10)
    heard.tell(Progress("ann@example.org", State.COPYING, "Work", 10, 1_000_000, 90, 9_000_000))
    shown = io.StringIO()
    Rich(file=shown, width=140).print(screen.table(30, 140))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert lines[0] == "mailbox state messages size rate left last pass"
    assert lines[1] == "ann@example.org copying 10/90 1.0 MB 100.0 kB/s 1 min 03-01 08:00 Work"
    assert "all of it in about 1 min, 4 h 58 min before the planned cutover" in " ".join(lines)


def test_plain_lines_tell_how_long_the_rest_takes():
    clock, console = FakeClock(), Console(io.StringIO(), io.StringIO(), io.StringIO(), color=False)
    forecast = Forecast(clock, {"ann@example.org": Load(1_000_000), "bob@example.org": Load(9_000_000)})
    with watching(console, clock, as_json=False) as lines:
        watch = Together(forecast, lines)
        watch.tell(PassBegun(2, forecast))
        watch.tell(Progress("ann@example.org", State.COPYING, "", 0, 0, 10, 1_000_000))
        clock.advance(60)
        watch.tell(Progress("ann@example.org", State.COPYING, "", 10, 1_000_000, 10, 1_000_000))
        watch.tell(MailboxThrough(Outcome("ann@example.org", State.DONE.value), 1, 2))
        watch.tell(MailboxThrough(Outcome("bob@example.org", State.DONE.value), 2, 2))
    assert isinstance(console.err, io.StringIO)
    first, last = console.err.getvalue().splitlines()
    assert first.endswith("0 sent (0 B); all of it in about 9 min")
    assert last.endswith("0 sent (0 B)")


def test_sizes_and_spans_are_short():
    assert [octets(n) for n in (0, 999, 1000, 1_250_000, 3_000_000_000, 7 * 10**12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.2 MB",
        "3.0 GB",
        "7.0 TB",
    ]
    assert [span(timedelta(seconds=s)) for s in (5, 60, 3599, 7500)] == ["5 s", "1 min", "59 min", "2 h 05 min"]
    assert [span(timedelta(hours=h)) for h in (47, 48, 100)] == ["47 h 00 min", "2 d 0 h", "4 d 4 h"]


def test_long_words_of_a_server_leave_the_figures_whole():
    screen = Screen(FakeClock(), PassBegun(2, Forecast(FakeClock())))
    screen.tell(Progress("ann@example.org", State.COPYING, "Work", 1_234, 5_000, 2_345, 9_000))
    screen.tell(MailboxThrough(Outcome("bob@example.org", State.AUTH_LOST.value, "the server says no " * 20), 1, 2))
    shown = io.StringIO()
    Rich(file=shown, width=80).print(screen.table(30, 80))
    assert "ann@example.org  copying    1,234/2,345  5.0 kB" in shown.getvalue()
    assert "bob@example.org  auth lost" in shown.getvalue()
    assert "the server sa" in shown.getvalue()
