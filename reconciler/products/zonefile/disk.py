"""The zone's files on disk: read, and replaced all or none."""

import errno
import stat
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import ObserveError, WriteError
from reconciler.transports import atomic


def read(path: Path) -> bytes:
    """The whole content.

    Raises:
        ObserveError: it could not be read.

    """
    try:
        return _octets(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ObserveError(
            f"{path} could not be read: {reason}. Without it nobody knows what the zone says, so nothing is planned; "
            "check the path in the spec or the $INCLUDE line, and run as a user who may read it"
        ) from error


def _octets(path: Path) -> bytes:
    """Not of a FIFO, which would keep us waiting for ever."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path.read_bytes()


def refuse_journal(path: Path) -> None:
    """Leave a zone alone that its name server changes by itself.

    Raises:
        WriteError: BIND's journal stands beside the file.

    """
    journal = path.with_name(f"{path.name}.jnl")
    if journal.exists():
        raise WriteError(
            f"{path} belongs to a dynamic zone: {journal.name} stands beside it, and BIND would overwrite what we "
            "write. Either `rndc freeze ZONE`, apply, then `rndc thaw ZONE` (freeze removes the journal; `rndc sync "
            "-clean ZONE` does too), or use a dns backend that sends updates to the name server"
        )


def write(contents: Mapping[Path, tuple[bytes, bytes]]) -> None:
    """Replace the files in this order, each (content read, new content); else those before are put back.

    What somebody has made of one of them since is theirs, and stays.

    Raises:
        StalePlan: one does not hold what was read.
        WriteError: one could not be written.

    """
    done: list[Path] = []
    try:
        for path, (stood, content) in contents.items():
            atomic.replace(path, content, over=stood)
            done.append(path)
    except BaseException:
        for path in reversed(done):
            stood, content = contents[path]
            atomic.replace(path, stood, over=content)
        raise
