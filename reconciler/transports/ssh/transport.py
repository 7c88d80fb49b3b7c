"""Files and programs of a machine behind SSH.

Everything is done by programs on the far side and nothing by SFTP: only so does sudo differ by a word and not by a
second implementation, are thousands of files read at once, does a full disk say so (SFTP says "failure"), and do
access lists survive. Importing this imports paramiko, which is slow: whoever may need it does so when it does.

Tested with OpenSSH 9.2 and coreutils 9.1.
"""

import hashlib
import logging
import os
import shlex
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import Final

from reconciler.errors import ObserveError, ReconcilerError, SecretError, StalePlan, WriteError
from reconciler.ports import WHATEVER, Secrets, Stat, Whatever
from reconciler.transports.atomic import changed_meanwhile
from reconciler.transports.file_lock import LOCK_PATIENCE
from reconciler.transports.ssh import answers, programs
from reconciler.transports.ssh.connect import connect
from reconciler.transports.ssh.locks import FarLocks
from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.session import Cut, Done, Session
from reconciler.transports.ssh.shared import CONNECTIONS, login_of

_log: Final = logging.getLogger(__name__)
_ATTEMPTS: Final = 3  # for readings, when the connection is cut or a file is just being written
_AT_ONCE: Final = 4096  # files in one archive
_MOST_QUOTED: Final = 500  # characters of a program's complaint that fit an error message
_UNCONFIRMED: Final = 3  # status: see programs
_CHANGED: Final = 4  # status: see programs
_NOT_STARTED: Final = frozenset({126, 127})  # POSIX sh, 2.8.2: cannot be executed; not found


def open_ssh(ssh: Ssh, base: Path, secrets: Secrets, *, lock_patience: float = LOCK_PATIENCE) -> "SshTransport":
    """A transport to that machine, connected when it is first used. Relative paths of files here begin at ``base``.

    Whoever opens the same login in this process uses the same connection, which ends with the last that is closed.
    """
    login = login_of(ssh, base)
    connection = CONNECTIONS.in_turn((ssh.host, ssh.port), login, partial(connect, ssh, base, secrets))

    def made() -> Session:
        return Session(ssh.where, connection, sudo=ssh.sudo, patience=ssh.timeout)

    session, leave = CONNECTIONS.share(login, made)
    return SshTransport(session, leave, command_patience=ssh.command_timeout, lock_patience=lock_patience)


class SshTransport:
    """A Transport over one SSH connection, which all threads share.

    Readings survive a cut connection. A writing that was cut is read back: it is an error only if it did not happen,
    or if nobody can tell.
    """

    def __init__(
        self,
        session: Session,
        leave: Callable[[], None],
        *,
        command_patience: float = 600,
        lock_patience: float = LOCK_PATIENCE,
    ) -> None:
        """``leave`` gives the session back.

        Seconds: ``command_patience``, that a program may be silent; ``lock_patience``, that a lock may be held.
        """
        self._leave = leave
        self._session = session
        self._command_patience = command_patience
        self._locks = FarLocks(session, lock_patience)

    def close(self) -> None:
        """Leave the connection; the last who does hangs up."""
        self._leave()

    def stat(self, path: PurePath) -> Stat | None:
        """Of what the path leads to; the signature changes with every write, rename and change of owner."""
        done = self._ask(path, [*programs.STAT, _text(path)])
        if done.status == 0:
            return answers.as_stat(done.out)
        for _, why in answers.complaints(done.err):
            raise self._unreadable(path, why)
        return None

    def read(self, path: PurePath) -> bytes | None:
        """The whole content of a regular file; None if there is nothing."""
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[PurePath]) -> Mapping[PurePath, bytes]:
        """One archive for thousands of files; a file that is just being written is waited for."""
        found: dict[PurePath, bytes] = {}
        wanted = list(dict.fromkeys(paths))
        for start in range(0, len(wanted), _AT_ONCE):
            for path, content in self._archive(wanted[start : start + _AT_ONCE]).items():
                if content is None:
                    raise self._unreadable(path, "it is not a regular file")
                found[path] = content
        return found

    def read_links(self, paths: Sequence[PurePath]) -> Mapping[PurePath, str]:
        """The targets, as written."""
        wanted = list(dict.fromkeys(paths))
        if not wanted:
            return {}
        done = self._ask(wanted[0], programs.READ_LINKS, _nul_ended(wanted))
        self._refuse_complaints(wanted[0], done)
        return answers.links(done.out)

    @contextmanager
    def locked(self, paths: Sequence[PurePath]) -> Iterator[None]:
        """Locks beside the files, held by a program there; see ``transports.ssh.locks``."""
        done = self._ask(paths[0], [*programs.REAL_PATHS, *map(_text, paths)])
        if done.status:
            raise self._unreadable(paths[0], answers.reason(done.err))
        with self._locks.held([PurePath(os.fsdecode(real)) for real in done.out.split(b"\0")[:-1]]):
            yield

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
        owner = f"{like.uid}:{like.gid}" if like else ""
        mode = like.mode if like else mode
        argv = [*programs.REPLACE, _text(path), str(len(content)), owner, f"{mode:04o}", _compared(over)]
        self._change(path, argv, content, stands=lambda: self.read(path) == content)

    def link(self, path: PurePath, target: str) -> None:
        """Make or replace a symbolic link in one moment; it belongs to the owner of its directory."""
        argv = [*programs.LINK, _text(path), target]
        self._change(path, argv, stands=lambda: self.read_links([path]).get(path) == target)

    def make_directory(self, path: PurePath, *, like: Stat | None = None) -> None:
        """Make it and what is missing above it, with the owner and the permission bits of ``like`` (else 0750)."""
        owner = f"{like.uid}:{like.gid}" if like else ""
        directories = [_text(p) for p in (*reversed(path.parents), path)]
        argv = [*programs.MAKE_DIRECTORIES, owner, f"{like.mode if like else 0o750:04o}", *directories]
        self._change(path, argv, stands=lambda: self.stat(path) is not None)

    def remove(self, path: PurePath) -> None:
        """Remove a file, or a symbolic link and not its target; absent is fine."""

        def gone() -> bool:
            return self.stat(path) is None and not self.read_links([path])

        self._change(path, [*programs.REMOVE, _text(path)], stands=gone)

    def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> bytes:
        """Run a program, without a shell, with messages in English, and give its standard output."""
        shown = f"{shlex.join(argv)} on {self._session.where}"
        _log.debug("run on %s: %s", self._session.where, argv[0])
        try:
            done = self._session.run(argv, stdin, patience=self._command_patience)
        except Cut as cut:
            raise WriteError(
                f"{shown} was started, but then the connection was lost ({cut}): nobody knows how far it came, and it "
                "was not run again. Plan again: what is read then is what stands"
            ) from cut
        except ObserveError as error:
            raise WriteError(f"{shown} was not started: {error}") from error
        if done.status:
            self._refuse_sudo(done, WriteError)
            said = done.err.strip()[-_MOST_QUOTED:] or "it said nothing"
            if done.status in _NOT_STARTED:
                raise WriteError(f"{shown} could not be started: {said}; is it installed?")
            ended = f"ended with status {done.status}" if done.status > 0 else "was ended by a signal"
            raise WriteError(f"{shown} {ended}: {said}")
        return done.out

    def which(self, program: str) -> str | None:
        """Looked for in PATH, then where administration programs are."""
        done = self._ask(PurePath(program), [*programs.WHICH, program])
        if done.status:
            raise self._unreadable(PurePath(program), answers.reason(done.err))
        return os.fsdecode(done.out) or None

    def _archive(self, paths: Sequence[PurePath]) -> Mapping[PurePath, bytes | None]:
        for _ in range(_ATTEMPTS):
            done = self._ask(paths[0], programs.ARCHIVE, _nul_ended(paths))
            self._refuse_complaints(paths[0], done)
            if answers.in_motion(done.err):
                continue
            try:
                return answers.contents(done.out)
            except tarfile.TarError as error:
                raise self._unreadable(paths[0], f"the archive of it is damaged ({error})") from error
        raise self._unreadable(paths[0], "it, or a file beside it, keeps changing while it is read")

    def _ask(self, path: PurePath, argv: Sequence[str], stdin: bytes = b"") -> Done:
        """Run a program that changes nothing, again if need be."""
        for attempt in range(_ATTEMPTS):
            try:
                done = self._session.run(argv, stdin)
            except Cut as cut:
                if attempt + 1 == _ATTEMPTS:
                    raise self._unreadable(path, f"the connection was lost {_ATTEMPTS} times ({cut})") from cut
                continue
            except ObserveError as error:
                raise ObserveError(f"{path} could not be read: {error}") from error
            self._refuse_sudo(done, ObserveError)
            if done.status in _NOT_STARTED or done.status < 0:
                raise self._unreadable(path, f"{argv[0]} could not be run there: {done.err.strip() or 'it was killed'}")
            return done
        raise AssertionError("the last attempt ends the loop")  # pragma: no cover

    def _change(self, path: PurePath, argv: Sequence[str], stdin: bytes = b"", *, stands: Callable[[], bool]) -> None:
        """Run a program that changes one thing, once. If the connection is cut, ``stands`` says whether it did."""
        where = self._session.where
        try:
            done = self._session.run(argv, stdin)
        except ObserveError as error:
            raise WriteError(f"{path} could not be written: {error}. Nothing was written") from error
        except Cut as cut:
            with self._undecided(path, cut):
                if stands():
                    return
            raise WriteError(
                f"{path} on {where} could not be written: the connection was lost ({cut}). It was read back, and what "
                "stood there still stands; apply again"
            ) from cut
        if done.status == _CHANGED:
            raise StalePlan(changed_meanwhile(f"{path} on {where}"))
        if done.status == _UNCONFIRMED:
            raise WriteError(
                f"{path} on {where} has its new content, but the disk did not confirm it: {answers.reason(done.err)}. "
                "Check the disk, then plan again: it will show whether the change is there"
            )
        if done.status:
            self._refuse_sudo(done, WriteError)
            why = answers.reason(done.err)
            raise WriteError(
                f"{path} on {where} could not be written: {answers.lower(why)}. What stood there still stands; "
                f"{answers.todo(why)} and apply again"
            )

    @contextmanager
    def _undecided(self, path: PurePath, cut: Cut) -> Iterator[None]:
        try:
            yield
        except (ObserveError, SecretError) as error:
            raise WriteError(
                f"{path} on {self._session.where}: the connection was lost while it was written ({cut}) and it could "
                f"not be read back, so nobody knows whether it was: {error}. When the server answers again, plan again"
            ) from error

    def _refuse_complaints(self, path: PurePath, done: Done) -> None:
        for what, why in answers.complaints(done.err):
            raise self._unreadable(PurePath(what or path), why)

    def _refuse_sudo(self, done: Done, error: type[ReconcilerError]) -> None:
        said = self._session.sudo and done.status and answers.sudo_refused(done.err, self._session.where)
        if said:
            raise error(said)

    def _unreadable(self, path: PurePath, why: str) -> ObserveError:
        where = self._session.where
        return ObserveError(
            f"{path} on {where} could not be read: {answers.lower(why)}; {answers.todo(why)} and plan again"
        )


def _text(path: PurePath) -> str:
    """As an argument.

    Raises:
        ValueError: it holds a NUL, which no file name can.

    """
    text = str(path)
    if "\0" in text:
        msg = f"{text!r} holds a NUL"
        raise ValueError(msg)
    return text


def _compared(over: bytes | Whatever | None) -> str:
    """As REPLACE takes it."""
    if isinstance(over, Whatever):
        return ""
    return "absent" if over is None else hashlib.sha256(over).hexdigest()


def _nul_ended(paths: Sequence[PurePath]) -> bytes:
    return b"".join(_text(path).encode("utf-8", "surrogateescape") + b"\0" for path in paths)
