"""Files that the tool keeps or writes for people: for their owner alone (0600, or stricter by the umask), all the time.

Plans, reports, logs, the journal and the ledger hold no secret, but people's addresses, the rules of their mail, and
how the machines are set up. The files of mail servers and zones are not written here: they keep their own modes.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from reconciler.transports.atomic import replace_privately

_FILE: Final = 0o600
_FOLDER: Final = 0o700
_BESIDE: Final = ("", "-journal", "-wal", "-shm")  # what SQLite keeps beside a database: sqlite.org/tempfiles.html


def write(path: Path, content: bytes) -> None:
    """All of the file, in one moment; what stood there goes, with its owner, its mode and its access lists.

    Raises:
        WriteError: it could not be written, and what stood still stands.

    """
    replace_privately(path.absolute(), content)


def open_to_add(path: Path) -> int:
    """A descriptor that adds to a file, made where it is missing; one that others can read is closed to them first.

    What is no regular file, such as ``/dev/stderr``, stays as it is.

    Raises:
        OSError: it cannot be opened, or belongs to somebody else and others can read it.

    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _FILE)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and _too_wide(found.st_mode):
            os.fchmod(descriptor, found.st_mode & _FILE)
    except OSError as error:
        os.close(descriptor)
        raise OSError(error.errno, error.strerror, str(path)) from error
    return descriptor


def make_database(path: Path) -> None:
    """A file for SQLite, and what lies beside it, closed to others; it is made where it is missing.

    It is opened only to make it: closing a descriptor drops the locks that this process has on the file (fcntl(2)).

    Raises:
        OSError: it cannot be made, cannot be written, or belongs to somebody else and others can read it.

    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE))
    elif not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    for end in _BESIDE:
        beside = path.with_name(f"{path.name}{end}")
        try:
            found = beside.stat()
            if stat.S_ISREG(found.st_mode) and _too_wide(found.st_mode):
                beside.chmod(found.st_mode & _FILE)
        except FileNotFoundError:
            continue


def make_folder(path: Path) -> None:
    """The folder, and those above it that are missing; one that stands keeps its mode.

    Raises:
        OSError: it cannot be made.

    """
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent)
    path.mkdir(mode=_FOLDER, exist_ok=True)


def _too_wide(mode: int) -> bool:
    return bool(stat.S_IMODE(mode) & ~_FILE)
