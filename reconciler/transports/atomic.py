"""Replace a file in one moment: whoever opens it sees all of the old content or all of the new."""

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from reconciler.errors import StalePlan, WriteError
from reconciler.ports import WHATEVER, Stat, Whatever

_NOT_CARRIED: Final = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENODATA, errno.EINVAL}


def replace(
    path: Path,
    content: bytes,
    *,
    like: Stat | None = None,
    mode: int = 0o640,
    over: bytes | Whatever | None = WHATEVER,
) -> None:
    """Give ``path`` this content, durably; a symbolic link is the caller's to resolve first.

    An existing file keeps owner, group, permission bits and access lists. A new one gets those of ``like`` or, without
    it, ``mode`` and whoever runs this. The content is written to a temporary file beside it (0600 until it is whole),
    flushed to disk and renamed; on any failure, Ctrl-C too, the temporary file is removed and what stood still stands.

    ``over`` is what was read before (None: no file). It is compared at the last moment: what somebody writes between
    that and the rename, who knows nothing of our lock, no system call can notice.

    Raises:
        StalePlan: something else stands there than ``over``.
        WriteError: it could not be written; the message has the path, the reason and what to do.

    """
    _replace(path, content, lambda file: _dress(file, path, _standing(path), like, mode), over)


def replace_privately(path: Path, content: bytes) -> None:
    """As ``replace``, but the file is a new one for whoever runs this, 0600 or stricter by the umask, whatever stood.

    Raises:
        WriteError: as ``replace``.

    """
    _replace(path, content, lambda _: None)


def _replace(
    path: Path, content: bytes, dress: Callable[[int], None], over: bytes | Whatever | None = WHATEVER
) -> None:
    temporary: str | None = None
    try:
        _standing(path)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            dress(file.fileno())
            os.fsync(file.fileno())
        if not isinstance(over, Whatever) and _content(path) != over:
            raise StalePlan(changed_meanwhile(str(path)))
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise WriteError(
            f"{path} could not be written: {_reason(error)}. It is as it was; {_todo(error, path)}"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    _flush_directory(path)


def changed_meanwhile(path: str) -> str:
    """What is said where something else stands than what was read."""
    return (
        f"{path} was changed by somebody else after it was read: writing now would undo that. Nothing was written; "
        "plan again"
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _standing(path: Path) -> os.stat_result | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return found


def _dress(descriptor: int, path: Path, standing: os.stat_result | None, like: Stat | None, mode: int) -> None:
    """Owner first: changing it clears permission bits (chown(2))."""
    if standing is not None:
        _own(descriptor, standing.st_uid, standing.st_gid)
        _carry_attributes(descriptor, path)
        os.fchmod(descriptor, stat.S_IMODE(standing.st_mode))
    elif like is not None:
        _own(descriptor, like.uid, like.gid)
        os.fchmod(descriptor, stat.S_IMODE(like.mode))
    else:
        os.fchmod(descriptor, mode)


def _own(descriptor: int, uid: int, gid: int) -> None:
    """Only where it differs: a user without privilege may not even confirm an owner."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (uid, gid):
        os.fchown(descriptor, uid if uid != now.st_uid else -1, gid if gid != now.st_gid else -1)


def _carry_attributes(descriptor: int, path: Path) -> None:
    """POSIX access lists and security labels; what the file system or our rights do not allow stays behind."""
    try:
        for name in os.listxattr(path):
            os.setxattr(descriptor, name, os.getxattr(path, name))
    except OSError as error:
        if error.errno not in _NOT_CARRIED:
            raise


def _flush_directory(path: Path) -> None:
    """Make the rename itself outlast a power cut; some file systems do not offer it (EINVAL) and need none."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOTSUP, errno.EACCES}:
            return
        raise WriteError(
            f"{path} has its new content, but the disk did not confirm it: {_reason(error)}. "
            "Check the disk, then plan again: it will show whether the change is there",
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _todo(error: OSError, path: Path) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"make room on the file system of {path.parent} and apply again"
        case errno.EFBIG:
            return "raise the limit on the size of files (ulimit -f) and apply again"
        case errno.EACCES | errno.EPERM:
            return f"run as a user who may write {path.parent} and give files to the owner of {path.name}"
        case errno.EROFS:
            return f"the file system of {path.parent} is mounted read-only: remount it and apply again"
        case errno.ENOENT:
            return f"make the directory {path.parent} first"
        case _:
            return "mend that and apply again"
