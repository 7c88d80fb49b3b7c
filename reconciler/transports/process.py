"""Which process holds a lock: told by its own machine for certain, and by no other."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_ENDED: Final = ("Z", "X")  # a zombie is waited for by its parent, and does nothing any more


class Life(StrEnum):
    """What is known of a process."""

    LIVES = "lives"
    ENDED = "ended"
    ELSEWHERE = "elsewhere"  # on another machine, or one that is gone: nobody here can tell


def machine() -> str:
    """What makes a process id unique at one time: this boot of this kernel, and the PID namespace; empty: no /proc.

    A host name would not do: two machines can have the same one, and containers share a kernel.
    """
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def processes(pid: int | None = None) -> str:
    """What makes a process id unique for ever: the machine, and when the process began, in ticks since its boot."""
    here, stat = machine(), _stat(os.getpid() if pid is None else pid)
    return f"{here} {stat[1]}" if here and stat else here


def life_of(processes: str, pid: int) -> Life:
    """Of the process that was written down as these.

    A stopped or suspended process lives. A number that another process has got since is an ended one.
    """
    boot_and_names, began = _split(processes)
    if not boot_and_names or boot_and_names != machine():
        return Life.ELSEWHERE
    stat = _stat(pid)
    if stat is None:
        return Life.LIVES if _is_hidden(pid) else Life.ENDED
    state, ticks = stat
    is_another = bool(began) and ticks != began
    return Life.ENDED if is_another or state in _ENDED else Life.LIVES


def _split(processes: str) -> tuple[str, str]:
    """The machine and the ticks; programs of version 0.1.0 and before wrote no ticks."""
    words = processes.split(" ")
    return " ".join(words[:2]), words[2] if len(words) > 2 else ""  # noqa: PLR2004 - boot, namespace, ticks


def _stat(pid: int) -> tuple[str, str] | None:
    """Its state, and when it began (fields 3 and 22 of proc(5)); None if there is no such process.

    The name before them is in parentheses, and may hold any sign.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], fields[19]


def _is_hidden(pid: int) -> bool:
    """Whether it is there all the same: /proc can be mounted so that one sees one's own processes alone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
