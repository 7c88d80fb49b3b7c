"""The program of this source as a process of its own, started as a shell at a terminal starts it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "import sys; from reconciler.cli.main import main; sys.exit(main())")
AS_AT_A_TERMINAL = ("/usr/bin/env", "--default-signal=INT,TERM")
"""Before a program's own words: it can be stopped, also where whoever runs the tests ignores Ctrl-C, as cron does.

A process that is started with a signal ignored ignores it, too (execve(2)).
"""


def started(
    *arguments: object, before: tuple[str, ...] = (), environment: Mapping[str, str], **popen: Any
) -> subprocess.Popen[str]:
    """Not waited for; ``before`` are the words of a program that starts it, ``popen`` what is not as usual."""
    usual: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "cwd": ROOT,
    }
    command = [*AS_AT_A_TERMINAL, *before, *PROGRAM, *map(str, arguments)]
    child: subprocess.Popen[str] = subprocess.Popen(command, env=dict(environment), **(usual | popen))
    return child
