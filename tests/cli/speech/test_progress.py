import io
import json

import pytest

from reconciler.cli.speech.console import Console
from reconciler.cli.speech.progress import View, following
from reconciler.model.run_event import RunBegun, RunEnded, StepFoundDone, StepHeld, StepsBegun, StepsDone
from reconciler.model.stage import Stage
from tests.support.clock import FakeClock
from tests.support.plans import WAIT, mailbox, plan, step

STEPS = tuple(step(number, Stage.PREPARE, None, mailbox(f"user{number}")) for number in range(1, 4))
HELD = step(4, Stage.PREPARE, None, mailbox("late"), WAIT)


class Screen(io.StringIO):
    """A terminal that keeps what it was sent."""

    def isatty(self):
        return True


def told(err, *, as_json=False):
    console = Console(io.StringIO(), err, io.StringIO(), color=False)
    with following(console, FakeClock(), View("migration.yaml"), as_json=as_json) as events:
        events.tell(RunBegun(plan(*STEPS, HELD)))
        events.tell(StepsBegun(STEPS[:2]))
        events.tell(StepsDone(STEPS[:2]))
        events.tell(StepFoundDone(STEPS[2]))
        events.tell(StepHeld(HELD))
        events.tell(RunEnded())
    return console


def test_plain_lines_count_up_to_what_runs():
    assert told(io.StringIO()).err.getvalue() == (
        "[2/3] + mailbox user1@example.org and 1 more (new server)\n"
        "[3/3] + mailbox user3@example.org (new server): was done already\n"
    )


def test_events_are_json_lines_on_standard_output():
    console = told(io.StringIO(), as_json=True)
    assert console.err.getvalue() == ""
    events = [json.loads(line) for line in console.out.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["begun", "done", "already", "held"]
    assert {event["at"] for event in events} == {"2026-03-02T08:00:00Z"}
    assert events[3]["steps"][0]["verdict"]["until"] == "2026-03-03T08:00:00Z"


def test_a_terminal_gets_a_bar_that_ends_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    shown = told(Screen()).err.getvalue()
    assert "3/3" in shown
    assert "user3@example.org" in shown
    assert told(Screen()).out.getvalue() == ""
