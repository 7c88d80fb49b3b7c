"""Turns at mailboxes among machines that share a journal: leases in its database, all renewed by one thread."""

import os
import platform
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reconciler.errors import JournalError
from reconciler.journal import living
from reconciler.journal.database import Database
from reconciler.journal.keeper import Keeper
from reconciler.journal.lock import LEASE, is_held
from reconciler.journal.moment import now_in
from reconciler.journal.tables import locks, meta, wishes
from reconciler.ports import Clock
from reconciler.transports.process import processes

_AT_ONCE: Final = 200  # addresses in one transaction
_ROUNDS: Final = 3  # of meeting others who take the same ones at the same moment
_LOOK: Final = timedelta(seconds=1)
"""How often the wishes of others are read: between two batches of messages it may be asked many times a second."""
_LOST: Final = "the lease on the mailbox ran out before it could be renewed, so that another run may have it"


class DatabaseTurns:
    """``mailcopy.turns.Turns`` in a shared database; a mailbox's lock stands beside those of moves, by its address.

    A database that is away for a while ends no pass: what it was to be asked for is left to others meanwhile.
    """

    def __init__(self, database: Database, clock: Clock, lease: timedelta = LEASE) -> None:
        """Nothing is taken yet."""
        self._database, self._clock, self._lease = database, clock, lease
        self._token = uuid4().hex
        self._held: Counter[str] = Counter()
        self._lost: set[str] = set()
        self._kept_back: set[str] = set()  # what is given back as soon as the database can be written
        self._guard = threading.RLock()
        self._keeper: Keeper | None = None
        self._wishes: Mapping[str, str] = {}
        self._looked: datetime | None = None
        living.begin(self._token)

    def close(self) -> None:
        """Give everything back; where that cannot be written the leases run out by themselves."""
        with self._guard:
            living.end(self._token)
            if self._keeper is None:
                return
            self._keeper.stop()
            with suppress(JournalError), self._database.writing() as connection:
                connection.execute(delete(locks).where(locks.c.token == self._token))
                connection.execute(delete(wishes).where(wishes.c.token == self._token))

    def take(self, accounts: Collection[str], /) -> Mapping[str, str]:
        """Those that nobody has or waits for, by the database's clock."""
        with self._guard:
            new = [account for account in dict.fromkeys(accounts) if account not in self._held]
            self._held.update(set(accounts).difference(new))
            others: dict[str, str] = {}
            self._keep()
            with suppress(JournalError):
                self._return()
            for group in _groups(new):
                try:
                    others |= self._taken(group)
                except JournalError as error:
                    others |= dict.fromkeys(group, str(error))
                self._held.update(account for account in group if account not in others)
            return others

    def give_back(self, accounts: Collection[str], /) -> None:
        """Where they were taken as often."""
        with self._guard:
            self._held.subtract(accounts)
            free = [account for account in accounts if self._held[account] <= 0]
            for account in free:
                del self._held[account]
            self._lost.difference_update(free)
            self._kept_back.update(free)
            with suppress(JournalError):
                self._return()

    def wanted(self, account: str, /) -> str:
        """By somebody else; or it was lost to somebody else, which is as good."""
        with self._guard:
            if account in self._lost or (self._keeper and self._keeper.lost):
                return _LOST
            now = self._clock.now()
            if self._looked is None or not timedelta() <= now - self._looked < _LOOK:
                with suppress(JournalError), self._database.reading() as connection:
                    self._wishes = self._wishes_of_others(connection)
                self._looked = now
            return self._wishes.get(account, "")

    def wish(self, accounts: Collection[str], why: str, /) -> None:
        """Noted until they are taken; for a lease more each time that the lease is renewed."""
        with self._guard:
            for group in _groups(list(accounts)):
                mine = wishes.c.domain.in_(group) & (wishes.c.token == self._token)
                with self._database.writing() as connection:
                    expires = now_in(connection, self._clock) + self._lease
                    connection.execute(delete(wishes).where(mine))
                    rows = [{"domain": a, "token": self._token, "why": why, "expires": expires} for a in group]
                    connection.execute(insert(wishes), rows)
            self._keep()

    def _taken(self, group: Sequence[str]) -> dict[str, str]:
        for _ in range(_ROUNDS):
            with self._database.writing() as connection:
                try:
                    with connection.begin_nested():
                        return self._take_free(connection, group)
                except IntegrityError:
                    continue  # somebody took one of them since we looked
        return dict.fromkeys(group, "other runs take it at this moment")

    def _take_free(self, connection: Connection, group: Sequence[str]) -> dict[str, str]:
        connection.execute(select(meta).with_for_update())  # one taker at a time: two could wait for one another
        now = now_in(connection, self._clock)
        holders = connection.execute(select(locks).where(locks.c.domain.in_(group))).all()
        others = {holder.domain: _words(holder) for holder in holders if is_held(holder, now)}
        mine = set(connection.execute(select(wishes.c.domain).where(wishes.c.token == self._token)).scalars())
        waited_for = {a: why for a, why in self._wishes_of_others(connection).items() if a in group and a not in mine}
        others = {**waited_for, **others}
        for holder in holders:
            if holder.domain not in others:
                same = (locks.c.domain == holder.domain) & (locks.c.token == holder.token)
                connection.execute(delete(locks).where(same & (locks.c.expires == holder.expires)))
        free = [account for account in group if account not in others]
        if free:
            values = {
                "token": self._token,
                "host": platform.node(),
                "processes": processes(),
                "pid": os.getpid(),
                "since": now,
                "expires": now + self._lease,
            }
            connection.execute(insert(locks), [{"domain": account, **values} for account in free])
            connection.execute(delete(wishes).where(wishes.c.domain.in_(free) & (wishes.c.token == self._token)))
        return others

    def _wishes_of_others(self, connection: Connection) -> dict[str, str]:
        now = now_in(connection, self._clock)
        rows = connection.execute(select(wishes).where(wishes.c.token != self._token)).all()
        return {row.domain: row.why for row in rows if row.expires > now}

    def _return(self) -> None:
        for group in _groups(sorted(self._kept_back)):
            with self._database.writing() as connection:
                these = locks.c.domain.in_(group) & (locks.c.token == self._token)
                connection.execute(delete(locks).where(these))
            self._kept_back.difference_update(group)

    def _keep(self) -> None:
        if self._keeper and self._keeper.lost:
            self._lost.update(self._held)
            self._keeper = None
        if self._keeper is None:
            self._keeper = Keeper(self._renew, self._lease, self._clock)
            self._keeper.start()

    def _renew(self) -> None:
        with self._guard:
            self._return()
            with self._database.writing() as connection:
                expires = now_in(connection, self._clock) + self._lease
                connection.execute(update(wishes).where(wishes.c.token == self._token).values(expires=expires))
                mine = locks.c.token == self._token
                if connection.execute(update(locks).where(mine).values(expires=expires)).rowcount < len(self._held):
                    self._lost.update(
                        self._held.keys() - connection.execute(select(locks.c.domain).where(mine)).scalars()
                    )


def _words(holder: Row[Any]) -> str:
    return f"process {holder.pid} on {holder.host} works on it, since {holder.since:%Y-%m-%d %H:%M:%S} UTC"


def _groups(accounts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (accounts[start : start + _AT_ONCE] for start in range(0, len(accounts), _AT_ONCE))
