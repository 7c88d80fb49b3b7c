"""A mailbox whose password comes from a program that waits: a place in the middle of an apply, as long as wanted."""

import subprocess
import time
from pathlib import Path

from tests.badinput.conftest import PATIENCE, edit

PROGRAM = """\
#!/bin/sh
touch "$1/begun"
while [ ! -e "$1/go" ]; do sleep 0.02; done
echo 'correct horse battery staple'
"""
FIELDS = "{SHA512-CRYPT}$6$saltsalt$" + "h" * 86 + ":::::"


def gate(world: Path, spec: Path, *, before: int = 0, after: int = 0) -> tuple[Path, Path]:
    """Put it into the spec, among others; when ``begun`` is there it waits, until ``go`` is."""
    folder = world.parent / "gate"
    folder.mkdir()
    program = folder / "password"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    names = [f"a{n:04}" for n in range(before)], [f"z{n:04}" for n in range(after)]
    first, last = ("".join(f"  - {{address: {name}@example.org}}\n" for name in part) for part in names)
    waiting = f'  - {{address: gate@example.org, password: "command: {program} {folder}"}}\n'
    edit(spec, ("mailboxes:\n", f"mailboxes:\n{first}{waiting}{last}"))
    users = world / "old" / "users"
    lines = "".join(f"{name}@example.org:{FIELDS}\n" for part in names for name in part)
    users.write_text(users.read_text() + lines)
    return folder / "begun", folder / "go"


def wait_for(path: Path, child: subprocess.Popen[str]) -> None:
    """Until the file is there; the process must live on meanwhile."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
