"""Programs measured: wall time, CPU of the program and of the two servers, memory; and medians compared."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from threading import Thread
from typing import NamedTuple

from tests.lab.dovecot import Dovecot

_TICK = os.sysconf("SC_CLK_TCK")
_SETTLED = 0.3  # seconds in which Dovecot's processes end once nobody is connected


class Ran(NamedTuple):
    """Wall seconds, CPU seconds of a program with all it starts and of both servers, and its most memory in MB."""

    seconds: float
    cpu: float
    servers: float
    megabytes: float
    said: str = ""


def timed(servers: Sequence[Dovecot], *programs: Sequence[str]) -> Ran:
    """Run the programs side by side to their ends."""
    before, mine = sum(map(cpu, servers)), _children()
    began = time.monotonic()
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for argv in programs]
    watching = _Memory([process.pid for process in running])
    said = [process.communicate()[0].decode() for process in running]
    seconds = time.monotonic() - began
    megabytes = watching.stop()
    for process, words in zip(running, said, strict=True):
        if process.returncode:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}: {words}")
    used = _children() - mine
    time.sleep(_SETTLED)
    return Ran(seconds, used, sum(map(cpu, servers)) - before, megabytes, "".join(said))


def middle(runs: Sequence[Ran]) -> Ran:
    """The medians, each number by itself."""
    seconds, used, servers, megabytes = (median(column) for column in zip(*(ran[:4] for ran in runs), strict=True))
    return Ran(seconds, used, servers, megabytes, runs[-1].said)


def rounds_of(rounds: int, runs: dict[str, Callable[[], Ran]], before: Callable[[], None]) -> dict[str, Ran]:
    """Each program in turn, round after round, so that a busy moment meets all of them; prints and gives medians."""
    found: dict[str, list[Ran]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            before()
            found[name].append(run())
    medians = {name: middle(each) for name, each in found.items()}
    for name, ran in medians.items():
        show(name, ran, [each.seconds for each in found[name]])
    return medians


def show(name: str, ran: Ran, seconds: Sequence[float]) -> None:
    """One line for people."""
    print(
        f"  {name:14} {ran.seconds:7.2f} s [{min(seconds):.2f}-{max(seconds):.2f}]   CPU {ran.cpu:5.2f} s, "
        f"servers {ran.servers:5.2f} s   {ran.megabytes:4.0f} MB   load {os.getloadavg()[0]:.1f}"
    )


def cpu(server: Dovecot) -> float:
    """Seconds that its processes have used so far, the ended ones too."""
    master = int((server.root / "run" / "master.pid").read_text())
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if master in {int(stat.parent.name), int(values[1])}:
            ticks += sum(map(int, values[11:15]))
    return ticks / _TICK


def _children() -> float:
    used = os.times()
    return used.children_user + used.children_system


class _Memory:
    """The peak of some processes, by the kernel's own count; rusage would count the process that started them."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids, self._over = pids, False
        self._peaks = dict.fromkeys(pids, 0)
        self._thread = Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        self._over = True
        self._thread.join()
        return sum(self._peaks.values()) / 1024

    def _watch(self) -> None:
        while not self._over:
            for pid in self._pids:
                self._peaks[pid] = max(self._peaks[pid], _peak(pid))
            time.sleep(0.02)


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
