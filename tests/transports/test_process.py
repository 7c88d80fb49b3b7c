"""What is known of a process by what was written down of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reconciler.transports.process import Life, life_of, machine, processes


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_this_process_lives() -> None:
    assert life_of(processes(), os.getpid()) is Life.LIVES


def test_what_is_written_down_fits_into_its_column() -> None:
    assert len(processes().split()) == 3
    assert len(processes()) < 255


def test_a_stopped_process_lives_and_one_that_was_waited_for_has_ended(child: subprocess.Popen[bytes]) -> None:
    written = processes(child.pid)
    child.send_signal(signal.SIGSTOP)
    assert life_of(written, child.pid) is Life.LIVES
    child.kill()
    child.wait()
    assert life_of(written, child.pid) is Life.ENDED


def test_a_process_that_nobody_has_waited_for_has_ended_too(child: subprocess.Popen[bytes]) -> None:
    written = processes(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from now on
    assert life_of(written, child.pid) is Life.ENDED


def test_another_process_with_the_same_number_is_not_the_one_that_was_written_down(
    child: subprocess.Popen[bytes],
) -> None:
    assert life_of(f"{machine()} 1", child.pid) is Life.ENDED


def test_without_a_time_of_beginning_the_number_alone_counts(child: subprocess.Popen[bytes]) -> None:
    assert life_of(machine(), child.pid) is Life.LIVES


@pytest.mark.parametrize("written", ["", "another-boot pid:[4026531836]", "another-boot pid:[4026531836] 1"])
def test_of_another_machine_or_an_unknown_one_nothing_is_known(written: str) -> None:
    assert life_of(written, os.getpid()) is Life.ELSEWHERE


def test_a_process_whose_entry_in_proc_is_hidden_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    written = processes()
    monkeypatch.setattr("reconciler.transports.process._stat", lambda _: None)
    assert life_of(written, os.getpid()) is Life.LIVES
