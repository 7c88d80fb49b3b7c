import os
import signal
import subprocess
import sys

from tests.support.program import ROOT, started

IGNORING = ("/bin/sh", "-c", "trap '' INT TERM; exec \"$@\"", "sh")  # as nohup, cron and `make test &` do
SHOWN = "import signal; print(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)"


def test_what_is_started_by_somebody_who_ignores_ctrl_c_ignores_it_too() -> None:
    said = subprocess.run([*IGNORING, sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_the_program_can_be_stopped_also_where_the_tests_were_started_by_somebody_who_ignores_ctrl_c() -> None:
    inner = (
        "import os, signal; from tests.support.program import started; "
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN; "
        "before = ('/bin/sh', '-c', 'kill -INT $$; kill -TERM $$; sleep 60'); "
        "print(started('--help', before=before, environment=dict(os.environ)).wait(60))"
    )
    said = subprocess.run(
        [*IGNORING, sys.executable, "-c", inner], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{-signal.SIGINT}\n"


def test_the_program_is_this_source() -> None:
    out, _ = started("--help", environment=dict(os.environ)).communicate(timeout=60)
    assert "reconciler" in out
