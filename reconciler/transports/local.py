"""Files and programs of this machine."""

import errno
import logging
import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace as replaced
from pathlib import Path, PurePath
from typing import Final

from reconciler.errors import ObserveError, WriteError
from reconciler.ports import WHATEVER, Stat, Whatever
from reconciler.transports import atomic, file_lock
from reconciler.transports.file_lock import LOCK_PATIENCE

_log: Final = logging.getLogger(__name__)
_ADMIN_PROGRAMS: Final = "/usr/local/sbin:/usr/sbin:/sbin"  # postmap's home, not in everybody's PATH
_MOST_QUOTED: Final = 500  # characters of a program's complaint that fit an error message
_TODO: Final = {
    errno.EACCES: "run as a user who may, or as root",
    errno.EPERM: "run as a user who may, or as root",
    errno.EISDIR: "name a file, not a directory",
    errno.ENOTDIR: "mend the path: a part of it is a file and no directory",
    errno.ELOOP: "mend the symbolic links: they lead in a circle",
    errno.ENOSPC: "make room on its file system",
    errno.EDQUOT: "make room in the quota of its owner",
    errno.EROFS: "its file system is mounted read-only: remount it",
    errno.ENOENT: "make its directory first",
}


class LocalTransport:
    """A Transport without a wire.

    Ownership is given away by root only: what an ordinary user makes belongs to that user, and a file of somebody
    else is not replaced, because its owner could not be kept.
    """

    def __init__(self, *, lock_patience: float = LOCK_PATIENCE) -> None:
        """``lock_patience``: seconds that somebody else may hold the lock of a file."""
        self._lock_patience = lock_patience

    def stat(self, path: PurePath) -> Stat | None:
        """Of what the path leads to; the signature changes with every write, rename and change of owner."""
        with _observing(path):
            found = _stat_or_none(path)
            return found and _as_stat(found)

    def read(self, path: PurePath) -> bytes | None:
        """The whole content of a regular file; None if there is nothing."""
        with _observing(path):
            found = _stat_or_none(path)
            if found is None:
                return None
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL, "it is not a regular file")
            return Path(path).read_bytes()

    def read_many(self, paths: Sequence[PurePath]) -> Mapping[PurePath, bytes]:
        """One after the other: here a round trip costs nothing."""
        return {path: content for path in paths if (content := self.read(path)) is not None}

    def read_links(self, paths: Sequence[PurePath]) -> Mapping[PurePath, str]:
        """The targets, as written."""
        return {path: target for path in paths if (target := self._link_target(path)) is not None}

    def locked(self, paths: Sequence[PurePath]) -> AbstractContextManager[None]:
        """Locks beside the files; see ``transports.file_lock``."""
        return file_lock.locked(paths, patience=self._lock_patience)

    def write(
        self,
        path: PurePath,
        content: bytes,
        *,
        like: Stat | None = None,
        mode: int = 0o640,
        over: bytes | Whatever | None = WHATEVER,
    ) -> None:
        """Replace in one moment, through a symbolic link to its target."""
        with _writing(path):
            target = Path(os.path.realpath(path))
            if target.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            atomic.replace(target, content, like=like and _ours_to_give(like), mode=mode, over=over)

    def link(self, path: PurePath, target: str) -> None:
        """Make or replace a symbolic link in one moment; it belongs to the owner of its directory."""
        temporary = Path(path).with_name(f".{path.name}.{os.getpid()}.new")
        with _writing(path):
            if _stat_or_none(path, follow=False) and not Path(path).is_symlink():
                raise OSError(errno.EEXIST, "a file that is no symbolic link stands there")
            try:
                temporary.unlink(missing_ok=True)
                temporary.symlink_to(target)
                if os.geteuid() == 0:
                    home = Path(path).parent.stat()
                    os.chown(temporary, home.st_uid, home.st_gid, follow_symlinks=False)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _flush(path.parent)

    def make_directory(self, path: PurePath, *, like: Stat | None = None) -> None:
        """Make it and what is missing above it, with the owner and the permission bits of ``like`` (else 0750)."""
        missing = [p for p in (path, *path.parents) if _stat_or_none(p) is None]
        with _writing(path):
            for directory in map(Path, reversed(missing)):
                directory.mkdir(mode=0o700)
                if like:
                    given = _ours_to_give(like)
                    os.chown(directory, given.uid, given.gid)
                directory.chmod(like.mode if like else 0o750)
                _flush(directory.parent)
            if not Path(path).is_dir():
                raise OSError(errno.ENOTDIR, "a file stands where the directory should be")

    def remove(self, path: PurePath) -> None:
        """Remove a file, or a symbolic link and not its target; absent is fine."""
        with _writing(path):
            try:
                Path(path).unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            _flush(path.parent)

    def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> bytes:
        """Run a program, without a shell and with messages in English, and give its standard output.

        It has a session of its own: Ctrl-C at the terminal must not end a postmap or a reload in the middle of a write
        that is to be finished. So it has no terminal either, and cannot ask for a password.
        """
        shown = shlex.join(argv)
        _log.debug("run here: %s", argv[0])
        try:
            done = subprocess.run(  # noqa: S603 - argv comes from our own backends, never from a string
                list(argv),
                input=stdin,
                capture_output=True,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
        except OSError as error:
            raise WriteError(f"{shown} could not be started: {_reason(error)}; is it installed?") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-_MOST_QUOTED:]
            raise WriteError(f"{shown} ended with status {done.returncode}: {said or 'it said nothing'}")
        return done.stdout

    def which(self, program: str) -> str | None:
        """Looked for in PATH, then where administration programs are."""
        return shutil.which(program) or shutil.which(program, path=_ADMIN_PROGRAMS)

    def _link_target(self, path: PurePath) -> str | None:
        with _observing(path):
            try:
                return os.readlink(path)  # noqa: PTH115 - as written: Path would tidy it
            except OSError as error:
                if error.errno in {errno.EINVAL, errno.ENOENT, errno.ENOTDIR}:
                    return None
                raise


def _stat_or_none(path: PurePath, *, follow: bool = True) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - ten thousand Paths cost more than the calls
    except (FileNotFoundError, NotADirectoryError):
        return None


def _as_stat(found: os.stat_result) -> Stat:
    signature = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return Stat(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), signature)


def _ours_to_give(like: Stat) -> Stat:
    """Only root gives files away; anybody may give one to a group of theirs."""
    if os.geteuid() == 0:
        return like
    group = like.gid if like.gid in {os.getegid(), *os.getgroups()} else os.getegid()
    return replaced(like, uid=os.geteuid(), gid=group)


def _flush(directory: PurePath) -> None:
    """Make a new name outlast a power cut, where the file system offers that."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _observing(path: PurePath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ObserveError(f"{path} could not be read: {_reason(error)}; {_todo(error)} and plan again") from error


@contextmanager
def _writing(path: PurePath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"{path} could not be written: {_reason(error)}. What stood there still stands; "
            f"{_todo(error)} and apply again"
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _todo(error: OSError) -> str:
    return _TODO.get(error.errno or 0, "mend that")
