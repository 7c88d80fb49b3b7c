"""The library: what its caller gets, and that its process is left alone."""

import gc
import inspect
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler.api
from reconciler.api import (
    Applied,
    MailboxThrough,
    Plan,
    Planned,
    ReconcilerError,
    RoundEnded,
    RunBegun,
    RunEnded,
    Selection,
    Stage,
    StepsBegun,
    StepsDone,
    open_move,
    problems_of,
)
from reconciler.errors import Interrupted, SpecError, StalePlan
from reconciler.model.grade import Grade
from reconciler.model.verdict import Pass
from tests.support.clock import FakeClock
from tests.support.files_world import write_spec, write_world
from tests.support.listening import Heard

SCRIPT = Path(__file__).parents[1] / "examples" / "library" / "move.py"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_world(tmp_path)


def contents(spec: Path) -> dict[Path, bytes]:
    """Of all files but those that the tool keeps for itself."""
    return {
        path: path.read_bytes()
        for path in spec.parent.rglob("*")
        if path.is_file() and "journal" not in path.name and ".reconciler" not in path.parts
    }


def test_a_move_is_planned_applied_and_settled(spec: Path) -> None:
    with open_move(spec, clock=FakeClock()) as move:
        plan = move.plan()
        applied = move.apply()
        assert len(plan.runnable) == applied.written > 0
        assert applied.plan.steps == plan.steps
        assert (applied.left.steps, move.plan().steps) == ((), ())
        assert move.status().stands.stage is Stage.PREPARE
        assert [(run.done, run.outcome) for run in move.runs()] == [(applied.written, "done")]


def test_planning_checking_and_asking_for_the_status_write_nothing(spec: Path) -> None:
    before = {path: path.read_bytes() for path in spec.parent.rglob("*") if path.is_file()}
    with open_move(spec) as move:
        assert move.plan(Stage.CUTOVER).stage is Stage.CUTOVER
        assert any(not isinstance(finding.answer, Pass) for finding in move.check(Stage.CUTOVER))
        assert move.status().domain == move.spec.domain == "example.org"
        assert move.runs() == ()
    assert {path: path.read_bytes() for path in spec.parent.rglob("*") if path.is_file()} == before


def test_whoever_hears_is_told_in_this_order(spec: Path) -> None:
    heard = Heard()
    with open_move(spec, events=heard) as move:
        move.apply()
    kinds = [type(event) for event in heard]
    assert kinds[:2] == [Planned, RunBegun]
    assert kinds[-2:] == [RunEnded, RoundEnded]
    assert kinds[2:-2] == [StepsBegun, StepsDone] * (len(kinds[2:-2]) // 2)


def test_who_does_not_agree_changes_nothing(spec: Path) -> None:
    before = contents(spec)

    def refuse(plan: Plan) -> None:
        raise ReconcilerError(f"not today: {len(plan.runnable)}")

    with open_move(spec) as move, pytest.raises(ReconcilerError, match="not today"):
        move.apply(confirm=refuse)
    assert contents(spec) == before


def test_who_stops_it_finds_what_was_done_and_goes_on_from_there(spec: Path) -> None:
    heard = Heard()
    with open_move(spec, events=heard) as move:
        with pytest.raises(Interrupted):
            move.apply(stop=lambda: any(isinstance(event, StepsDone) for event in heard))
        failed = [event for event in heard if isinstance(event, RunEnded)]
        assert ["stopped as asked" in event.failure for event in failed] == [True]
        assert move.apply().left.steps == ()


def test_a_saved_plan_is_carried_out_exactly_and_not_after_the_spec_has_changed(spec: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    with open_move(spec) as move:
        move.save(move.plan(), file)
        assert move.saved(file).steps == move.plan().steps
    write_spec(spec, catch_all="ann@example.org")
    with open_move(spec) as move, pytest.raises(StalePlan):
        move.apply(move.saved(file))
    write_spec(spec)
    with open_move(spec) as move:
        applied: Applied = move.apply(move.saved(file))
    assert (applied.written, applied.left.steps) == (len(applied.plan.steps), ())


def test_everything_is_put_back(spec: Path) -> None:
    before = contents(spec)
    with open_move(spec) as move:
        move.apply()
        assert contents(spec) != before
        assert len(move.plan_back().runnable) > 0
        assert move.roll_back(Selection(stage=Stage.PREPARE)).left.steps == ()
        with pytest.raises(ReconcilerError, match="there is no run 9"):
            move.plan_back(Selection(run=9))
    assert contents(spec) == before


def test_a_wrong_spec_is_an_error_with_every_problem(spec: Path) -> None:
    assert problems_of(spec) == ()
    write_spec(spec, stage="later", catch_al="ann@example.org")
    with pytest.raises(SpecError) as caught, open_move(spec):
        pass
    assert len(caught.value.problems) == 2
    assert problems_of(spec) == caught.value.problems


def maildir(path: Path, letters: int) -> Path:
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    for number in range(letters):
        text = f"Message-ID: <{number}@example.org>\r\nSubject: letter {number}\r\n\r\nHello {number}\r\n"
        (path / "cur" / f"{1_700_000_000 + number}.M{number}P1.host,S={len(text)},W={len(text)}:2,S").write_text(text)
    return path


def test_the_mail_is_copied_compared_and_not_sent_twice(spec: Path) -> None:
    letters = maildir(spec.parent / "mail/old/ann", 3)
    maildir(spec.parent / "mail/new/ann", 0)
    ends = {"old": {"maildir": "mail/old/%n"}, "new": {"maildir": "mail/new/%n"}}
    write_spec(spec, copy=ends, mailboxes=[{"address": "ann@example.org"}])
    heard = Heard()
    with open_move(spec, events=heard) as move:
        assert [len(each.plan.mapped) for each in move.preview()] == [1]
        first = move.copy(verify=True)
        again = move.copy(["ann@example.org"])
    assert [(each.state, each.grade, each.tally.sent) for each in first.outcomes] == [("done", Grade.PERFECT, 3)]
    assert [(each.state, each.tally.copied, each.tally.sent) for each in again.outcomes] == [("done", 3, 0)]
    assert len(list((spec.parent / "mail/new/ann").glob("[cn]*/*"))) == len(list((letters / "cur").iterdir())) == 3
    assert [event.number for event in heard if isinstance(event, MailboxThrough)] == [1, 1]


def test_the_process_of_the_caller_is_left_as_it_was(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def settings() -> object:
        collector = gc.get_threshold(), gc.isenabled()
        signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return collector, signals, logging.getLogger().handlers[:], logging.getLogger("reconciler").handlers[:]

    before = settings()
    with open_move(spec) as move:
        move.apply()
        assert settings() == before
    assert settings() == before
    assert capfd.readouterr() == ("", "")


def test_what_the_library_offers_is_there_and_says_what_it_is() -> None:
    for name in reconciler.api.__all__:
        offered = getattr(reconciler.api, name)
        assert name == "NOBODY" or inspect.getdoc(offered), name


class TestScript:
    def run(self, spec: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPT, spec, *arguments], input=answer, capture_output=True, text=True, check=False
        )

    def test_it_goes_as_far_as_it_can_and_all_the_way_back(self, spec: Path) -> None:
        before = contents(spec)
        done = self.run(spec, "--yes")
        assert (done.returncode, done.stderr) == (0, "")
        assert "  done: + new/mailbox/ann@example.org\n" in done.stdout
        assert done.stdout.endswith("6 written, 0 left\n")
        write_spec(spec, stage="cutover")
        waiting = self.run(spec, answer="yes\n")
        assert waiting.returncode == 2
        assert "come back after " in waiting.stdout
        assert self.run(spec, "--back", "--yes").returncode in (0, 2)
        write_spec(spec)
        assert self.run(spec, "--back", "--yes").returncode in (0, 2)
        assert contents(spec).keys() == before.keys()

    def test_it_asks_and_takes_nothing_but_yes(self, spec: Path) -> None:
        before = contents(spec)
        asked = self.run(spec, answer="no\n")
        assert (asked.returncode, contents(spec)) == (1, before)

    def test_an_error_is_told_in_its_own_words(self, spec: Path) -> None:
        write_spec(spec, stage="later")
        wrong = self.run(spec)
        assert wrong.returncode == 1
        assert "stage" in wrong.stderr
        assert "Traceback" not in wrong.stderr
