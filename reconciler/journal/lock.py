"""The lock on one move: a lease that a run renews, so that it outlives a crash by expiring."""

import os
import platform
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reconciler.errors import JournalError, Locked
from reconciler.journal.database import Database
from reconciler.journal.tables import locks
from reconciler.ports import Clock

LEASE: Final = timedelta(seconds=120)
_ROUNDS: Final = 3  # of meeting a lock that is gone when we look who holds it


class Lock:
    """Held by one run at a time for each domain; ``with`` takes it and gives it back."""

    def __init__(self, database: Database, domain: str, clock: Clock, lease: timedelta = LEASE) -> None:
        """Take nothing yet."""
        self._safe_until: datetime | None = None
        self._database = database
        self._domain = domain
        self._clock = clock
        self._lease = lease
        self._token = uuid4().hex
        self._mine = (locks.c.domain == domain) & (locks.c.token == self._token)

    def acquire(self) -> None:
        """Take it; from a run whose lease has expired, or whose process is gone from this machine, take it over.

        Raises:
            Locked: another run holds it; says who, since when and until when.

        """
        for _ in range(_ROUNDS):
            if self._insert():
                return
            holder = self._holder()
            if holder is None:
                continue
            if is_held(holder, self._clock.now()):
                raise Locked(self._message(holder))
            if self._replace(holder):
                return
        msg = f"other runs on {self._domain} took the lock first, {_ROUNDS} times: try again"
        raise Locked(msg)

    def renew(self, connection: Connection | None = None) -> None:
        """Keep it for another lease; with a connection, as part of what is being written there.

        Without one it writes only when a quarter of the lease is over: until then nobody can have taken it.

        Raises:
            Locked: this run does not hold it, or no longer.

        """
        now = self._clock.now()
        if connection is None:
            if self._safe_until is None or now >= self._safe_until:
                with self._database.writing() as own:
                    self.renew(own)
                self._safe_until = now + self._lease / 4
            return
        kept = connection.execute(update(locks).where(self._mine).values(expires=now + self._lease))
        if kept.rowcount != 1:
            holder = connection.execute(select(locks).where(locks.c.domain == self._domain)).one_or_none()
            msg = (
                self._message(holder)
                if holder
                else f"this run does not hold the lock on {self._domain}, so it writes nothing: run it again"
            )
            raise Locked(msg)

    def release(self) -> None:
        """Give it back, if it is held."""
        self._safe_until = None
        with self._database.writing() as connection:
            connection.execute(delete(locks).where(self._mine))

    def __enter__(self) -> Self:
        """Acquire."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release; where that cannot be written the lease runs out by itself, and what went wrong is said first."""
        with suppress(JournalError):
            self.release()

    def _values(self) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "token": self._token,
            "host": platform.node(),
            "processes": _processes(),
            "pid": os.getpid(),
            "since": now,
            "expires": now + self._lease,
        }

    def _insert(self) -> bool:
        with self._database.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(locks).values(domain=self._domain, **self._values()))
            except IntegrityError:
                return False
        return True

    def _holder(self) -> Row[Any] | None:
        with self._database.reading() as connection:
            return connection.execute(select(locks).where(locks.c.domain == self._domain)).one_or_none()

    def _replace(self, holder: Row[Any]) -> bool:
        """Compare and swap: nobody else took it over, and its holder has not come back to life."""
        same = (locks.c.domain == self._domain) & (locks.c.token == holder.token) & (locks.c.expires == holder.expires)
        with self._database.writing() as connection:
            return connection.execute(update(locks).where(same).values(**self._values())).rowcount == 1

    def _message(self, holder: Row[Any]) -> str:
        return (
            f"{self._domain} is being changed by another run: process {holder.pid} on {holder.host}, since "
            f"{holder.since:%Y-%m-%d %H:%M:%S} UTC. Two runs at once could undo each other's changes: wait until it "
            f"has ended, or stop it; its lock expires at {holder.expires:%Y-%m-%d %H:%M:%S} UTC unless it goes on"
        )


def is_held(holder: Row[Any], now: datetime) -> bool:
    """Whether a row of ``locks`` still keeps others out: its lease runs, and its process may be alive."""
    return holder.expires > now and not _is_gone(holder)


def _processes() -> str:
    """What makes a process id unique: this boot of this kernel, and the PID namespace; empty where there is no /proc.

    A host name would not do: two machines can have the same one, and containers share a kernel.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_gone(holder: Row[Any]) -> bool:
    """Whether the holder's process has certainly ended; only its own machine can tell."""
    if not holder.processes or holder.processes != _processes():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # somebody else's, but alive
    return False
