"""Locks on files of a machine behind SSH, the same that programs of that machine take: see ``transports.file_lock``.

A lock is held by a program there, which ends with our channel or the connection. A machine without flock is told of
once, in the log, and its files are then only compared before each rename. So they are after a lost connection, with
which the lock went: to begin again would be no safer, for a write compares what stands in any case.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import PurePath
from typing import Final

from reconciler.errors import ObserveError, WriteError
from reconciler.transports.file_lock import guarded, in_order, lock_of, still_held
from reconciler.transports.ssh import answers, programs
from reconciler.transports.ssh.session import Cut, Done, Session

_log: Final = logging.getLogger(__name__)
_GRACE: Final = 10  # seconds that the program there may be late
_MOST: Final = 7  # see programs


class FarLocks:
    """Takes the locks of one machine."""

    def __init__(self, session: Session, patience: float) -> None:
        """``patience``: seconds that somebody else may hold a lock."""
        self._session = session
        self._patience = patience
        self._told_of_no_flock = False

    @contextmanager
    def held(self, files: Sequence[PurePath]) -> Iterator[None]:
        """Hold the locks of these files, whose paths hold no symbolic link.

        Raises:
            WriteError: one could not be made, or somebody held it for too long.

        """
        locks = in_order(map(lock_of, files))
        assert len(locks) <= _MOST, "a store that writes so many files needs a lock of its own"
        argv = [*programs.LOCK, f"{self._patience:.0f}", *map(str, locks)]
        with ExitStack() as held:
            try:
                done = held.enter_context(self._session.staying(argv, patience=self._patience + _GRACE))
            except (Cut, ObserveError) as error:
                raise WriteError(
                    f"{files[0]} on {self._session.where} could not be written, for it could not be locked: {error}. "
                    "Nothing was written; apply again"
                ) from error
            self._judge(locks, done)
            yield

    def _judge(self, locks: Sequence[PurePath], done: Done) -> None:
        """Go on only where the program has said that the locks are ours, or that there can be none."""
        said = done.out.decode("utf-8", "replace")
        where = self._session.where
        if said == "locked":
            return
        if said == "no flock":
            if not self._told_of_no_flock:
                self._told_of_no_flock = True
                _log.warning(
                    "%s has no flock (package util-linux), so its files are changed without a lock: do not apply two "
                    "moves to it at once",
                    where,
                )
            return
        if said.startswith("busy "):
            raise WriteError(still_held(locks[int(said.removeprefix("busy "))], self._patience, where))
        refused = answers.sudo_refused(done.err, where) if self._session.sudo else None
        if refused:
            raise WriteError(refused)
        why = answers.reason(done.err)
        raise WriteError(
            f"{guarded(locks[0])} on {where} could not be written: its lock {locks[0]} could not be made: "
            f"{answers.lower(why)}. Nothing was written; {answers.todo(why)} and apply again"
        )
