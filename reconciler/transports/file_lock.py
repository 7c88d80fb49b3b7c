"""An advisory lock beside a file of this machine, for everybody who changes the file.

The lock of ``/etc/dovecot/users`` is ``/etc/dovecot/.users.reconciler-lock``: beside the file and not on it, because
each write puts another file into the place of the old one. The name is hidden, so that no program that reads the folder
by a pattern takes it for a file of its own. It belongs to its maker alone (0600) and goes when the lock does. A holder
that is killed leaves the name, and the lock on it is free at once. ``transports.ssh`` takes the same lock from afar.

Source: flock(2), flock(1) of util-linux 2.38.
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from time import monotonic, sleep
from typing import Final

from reconciler.errors import WriteError

LOCK_PATIENCE: Final = 60  # seconds; a write of five hundred entries and its postmap take a few
_PAUSE: Final = 0.02  # seconds between two tries; short against any write


def lock_of(real: PurePath) -> PurePath:
    """The lock file of a file whose path holds no symbolic link."""
    return real.with_name(f".{real.name}.reconciler-lock")


def in_order(locks: Iterable[PurePath]) -> Sequence[PurePath]:
    """Each once, in the one order in which everybody takes them: so no two wait for one another in a circle."""
    return sorted(set(locks), key=os.fsencode)


@contextmanager
def locked(paths: Iterable[PurePath], *, patience: float = LOCK_PATIENCE) -> Iterator[None]:
    """Hold the locks of all these files, which need not exist; their folders must.

    Raises:
        WriteError: one could not be made, or somebody held it for ``patience`` seconds.

    """
    deadline = monotonic() + patience
    with ExitStack() as held:
        for lock in map(Path, in_order(lock_of(Path(os.path.realpath(path))) for path in paths)):
            try:
                descriptor = _taken(lock, deadline)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                todo = (
                    "make the directory" if error.errno == errno.ENOENT else "run as a user who may write the directory"
                )
                raise WriteError(
                    f"{guarded(lock)} could not be written: its lock {lock} could not be made: {reason}. Nothing was "
                    f"written; {todo} {lock.parent} and apply again"
                ) from error
            if descriptor is None:
                raise WriteError(still_held(lock, patience))
            held.callback(_release, lock, descriptor)
        yield


def still_held(lock: PurePath, patience: float, where: str = "") -> str:
    """What is said when the patience ends; ``where`` is the other machine."""
    place = f" on {where}" if where else ""
    return (
        f"{guarded(lock)}{place} could not be locked within {patience:g} seconds: somebody else is changing it, such "
        "as another run of reconciler, there or over SSH. Nothing was written; let that end and apply again. The "
        f"command `fuser -v {lock}` names the process that holds the lock"
    )


def guarded(lock: PurePath) -> PurePath:
    """The file that a lock file is for."""
    return lock.with_name(lock.name.removeprefix(".").removesuffix(".reconciler-lock"))


def _taken(lock: Path, deadline: float) -> int | None:
    """Open and locked; None if it was not free in time."""
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except PermissionError:
            if not lock.exists():
                raise
            # another user's: it goes when that user is done
        else:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _stands(lock, descriptor):
                    return descriptor
            except BlockingIOError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        if monotonic() >= deadline:
            return None
        sleep(_PAUSE)


def _stands(lock: Path, descriptor: int) -> bool:
    """Whoever held the lock before us has removed its name: then ours is worth nothing."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _release(lock: Path, descriptor: int) -> None:
    """The name goes first: whoever waits for the lock then sees that it must make its own."""
    try:
        lock.unlink(missing_ok=True)
    except OSError:
        pass  # a folder that was closed to us meanwhile: a name that nobody has locked keeps nobody out
    finally:
        os.close(descriptor)
