"""The zone's files on disk: read, locked while they are changed, and replaced all or none."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs from changing the file meanwhile (flock(2) on the file itself, so that nothing is left beside).

    Raises:
        WriteError: it could not be locked.

    """
    try:
        descriptor = _lock(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WriteError(
            f"{path} could not be locked: {reason}. Nothing was written; mend that and apply again"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    """Whoever held the lock before us has replaced the file: then ours is on the old one, and we begin again."""
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


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


def write(contents: Mapping[Path, bytes]) -> None:
    """Replace the files in this order; where one cannot be written, those before it are put back.

    Raises:
        WriteError: one could not be written.

    """
    before: dict[Path, bytes] = {}
    try:
        for path, content in contents.items():
            standing = read(path)
            atomic.replace(path, content)
            before[path] = standing
    except BaseException:
        for path, content in reversed(before.items()):
            atomic.replace(path, content)
        raise
