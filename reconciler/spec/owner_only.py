"""A file that holds secrets is readable by its owner alone."""

import shlex
import stat
from pathlib import Path


def complaint(path: Path, mode: int) -> str | None:
    """Why a file of this mode must not hold secrets, with the command that mends it; None where it may."""
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None
    return (
        f"{path} holds secrets, and its mode {stat.S_IMODE(mode):04o} lets others than its owner read or change it; "
        f"run: chmod 600 {shlex.quote(str(path))}"
    )
