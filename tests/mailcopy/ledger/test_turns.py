"""Of which process a mailbox is: with real ones."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.errors import JournalError
from reconciler.mailcopy.ledger.turns import LedgerTurns
from tests.support.children import killed, said, tell

ROOT = Path(__file__).parents[3]
ANN = "ann@example.org"

TAKE = """
import sys
from pathlib import Path
from reconciler.mailcopy.ledger.turns import LedgerTurns

turns = LedgerTurns(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
others = turns.take(["ann@example.org"])
turns.wish(["ben@example.org"], "it is needed")
print(len(others), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "mail.ledger"
    place.touch()
    return place


@pytest.fixture
def children(place: Path) -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(place)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    yield started
    for child in started:
        killed(child)


def test_of_several_processes_exactly_one_gets_a_mailbox(children: list[subprocess.Popen[str]]) -> None:
    assert [said(child) for child in children] == ["ready"] * 4
    for child in children:
        tell(child)
    assert sorted(said(child) for child in children) == ["0", "1", "1", "1"]


def test_a_stopped_process_keeps_its_mailbox_and_a_killed_one_does_not(
    place: Path, children: list[subprocess.Popen[str]]
) -> None:
    child = children[0]
    assert said(child) == "ready"
    tell(child)
    assert said(child) == "0"
    child.send_signal(signal.SIGSTOP)
    with closing(LedgerTurns(place)) as turns:
        assert turns.take([ANN])[ANN].startswith(f"process {child.pid} on ")
        killed(child)
        assert turns.take([ANN, "ben@example.org"]) == {}


def test_a_process_of_another_machine_has_not_got_the_ledger_open_any_more(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(LedgerTurns(place)) as gone, closing(LedgerTurns(place)) as turns:
        gone.take([ANN])
        monkeypatch.setattr("reconciler.transports.process.machine", lambda: "another-boot pid:[4026531836]")
        assert turns.take([ANN]) == {}


def test_a_ledger_that_cannot_be_written_is_named_and_nothing_counts_as_taken(place: Path) -> None:
    with closing(LedgerTurns(place)) as turns:
        with closing(sqlite3.connect(place)) as other:
            other.execute("DROP TABLE mail_turns")
        with pytest.raises(JournalError, match=r"mail\.ledger cannot be used"):
            turns.take([ANN])
        with closing(sqlite3.connect(place)) as other:
            other.execute(
                "CREATE TABLE mail_turns (account PRIMARY KEY, token, processes, pid, host)",
            )
        assert turns.take([ANN]) == {}
        with closing(LedgerTurns(place)) as another:
            assert list(another.take([ANN])) == [ANN]
