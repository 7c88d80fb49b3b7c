"""The lock on one move: a lease that is renewed while it is held, so that it outlives a crash by expiring.

It is taken from nobody who may still write. Of a process of this machine it is known whether it lives; of one elsewhere
only that it has not renewed its lease, by the clock that all runs share.
"""

import os
import platform
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reconciler.errors import JournalError, Locked
from reconciler.journal import living
from reconciler.journal.database import Database
from reconciler.journal.keeper import Keeper
from reconciler.journal.moment import now_in
from reconciler.journal.tables import locks
from reconciler.ports import Clock
from reconciler.transports.process import Life, processes

LEASE: Final = timedelta(seconds=120)
_ROUNDS: Final = 3  # of meeting a lock that is gone when we look who holds it


class Lock:
    """Held by one run at a time for each domain; ``with`` takes it and gives it back."""

    def __init__(self, database: Database, domain: str, clock: Clock, lease: timedelta = LEASE) -> None:
        """Take nothing yet."""
        self._database = database
        self._domain = domain
        self._clock = clock
        self._lease = lease
        self._token = uuid4().hex
        self._mine = (locks.c.domain == domain) & (locks.c.token == self._token)
        self._keeper: Keeper | None = None
        self._may_hold = False

    def acquire(self) -> None:
        """Take it, and keep it until ``release``; from a run that has ended without a word, take it over.

        Raises:
            Locked: another run holds it; says who, since when and until when.

        """
        living.begin(self._token)
        self._may_hold = True
        try:
            self._acquire()
        except JournalError:
            if self._keeper is None:  # else it is this very lock that is held already
                self.close()
            raise

    def _acquire(self) -> None:
        for _ in range(_ROUNDS):
            if self._insert():
                return self._keep()
            holder, now = self._holder()
            if holder is None:
                continue
            if is_held(holder, now):
                raise Locked(self._message(holder))
            if self._replace(holder):
                return self._keep()
        msg = f"other runs on {self._domain} took the lock first, {_ROUNDS} times: try again"
        raise Locked(msg)

    def require(self) -> None:
        """Ask nobody: for whoever works long between two writes.

        Raises:
            Locked: it is known by now that the lock was lost.

        """
        if self._keeper and self._keeper.lost:
            raise Locked(self._keeper.lost)

    def hold(self, connection: Connection | None = None) -> None:
        """Make sure that this run still has it: to be called before each write, with a connection as part of it.

        The database is asked; it is written only where half of the lease is over.

        Raises:
            Locked: this run does not hold it, or no longer.

        """
        self.require()
        if connection is not None:
            self._renew(connection)
        elif not self._is_fresh():
            self._renew_alone()

    def release(self) -> None:
        """Give it back, if it is held."""
        self._may_hold = False
        if self._keeper:
            self._keeper.stop()
            self._keeper = None
        living.end(self._token)
        with self._database.writing() as connection:
            connection.execute(delete(locks).where(self._mine))

    def close(self) -> None:
        """Release it where that was forgotten; where it cannot be written the lease runs out by itself."""
        if self._may_hold:
            with suppress(JournalError):
                self.release()

    def __enter__(self) -> Self:
        """Acquire."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release; what went wrong before is said first."""
        self.close()

    def _keep(self) -> None:
        self._keeper = Keeper(self._renew_alone, self._lease, self._clock)
        self._keeper.start()

    def _is_fresh(self) -> bool:
        with self._database.reading() as connection:
            expires: datetime | None = connection.execute(select(locks.c.expires).where(self._mine)).scalar()
            return expires is not None and expires - now_in(connection, self._clock) >= self._lease / 2

    def _renew_alone(self) -> None:
        with self._database.writing() as connection:
            self._renew(connection)

    def _renew(self, connection: Connection) -> None:
        expires = now_in(connection, self._clock) + self._lease
        if connection.execute(update(locks).where(self._mine).values(expires=expires)).rowcount == 1:
            return
        holder = connection.execute(select(locks).where(locks.c.domain == self._domain)).one_or_none()
        msg = (
            f"this run has lost its lock, so it writes nothing more: {self._message(holder)}"
            if holder
            else f"this run does not hold the lock on {self._domain}, so it writes nothing: run it again"
        )
        raise Locked(msg)

    def _values(self, now: datetime) -> dict[str, Any]:
        return {
            "token": self._token,
            "host": platform.node(),
            "processes": processes(),
            "pid": os.getpid(),
            "since": now,
            "expires": now + self._lease,
        }

    def _insert(self) -> bool:
        with self._database.writing() as connection:
            values = self._values(now_in(connection, self._clock))
            try:
                with connection.begin_nested():
                    connection.execute(insert(locks).values(domain=self._domain, **values))
            except IntegrityError:
                return False
        return True

    def _holder(self) -> tuple[Row[Any] | None, datetime]:
        with self._database.reading() as connection:
            holder = connection.execute(select(locks).where(locks.c.domain == self._domain)).one_or_none()
            return holder, now_in(connection, self._clock)

    def _replace(self, holder: Row[Any]) -> bool:
        """Compare and swap: nobody else took it over, and its holder has not come back to life."""
        same = (locks.c.domain == self._domain) & (locks.c.token == holder.token) & (locks.c.expires == holder.expires)
        with self._database.writing() as connection:
            values = self._values(now_in(connection, self._clock))
            return connection.execute(update(locks).where(same).values(**values)).rowcount == 1

    def _message(self, holder: Row[Any]) -> str:
        return (
            f"{self._domain} is being changed by another run: process {holder.pid} on {holder.host}, since "
            f"{holder.since:%Y-%m-%d %H:%M:%S} UTC. Two runs at once could undo each other's changes: wait until it "
            f"has ended, or stop it; {_until(holder)}"
        )


def is_held(holder: Row[Any], now: datetime) -> bool:
    """Whether a row of ``locks`` still keeps others out: its process lives here, or elsewhere and its lease runs."""
    life = living.life_of_holder(holder)
    return life is Life.LIVES or (life is Life.ELSEWHERE and holder.expires > now)


def _until(holder: Row[Any]) -> str:
    if living.life_of_holder(holder) is Life.LIVES:
        return "it lives on this machine, so its lock does not expire before it ends"
    return f"its lock expires at {holder.expires:%Y-%m-%d %H:%M:%S} UTC unless it goes on"
