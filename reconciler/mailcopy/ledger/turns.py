"""Turns at mailboxes among the processes of one machine, kept in the ledger that they share.

Whoever holds a mailbox is known by the process: no lease can run out under a copy that is slow, and of a process that
has ended nothing is waited for. That only processes of this machine have the ledger open is seen to before.
"""

import os
import platform
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from reconciler.errors import JournalError
from reconciler.transports.process import Life, life_of, processes

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mail_turns (
  account VARCHAR(320) NOT NULL PRIMARY KEY,
  token VARCHAR(32) NOT NULL,
  processes VARCHAR(255) NOT NULL,
  pid INTEGER NOT NULL,
  host VARCHAR(255) NOT NULL
);
CREATE TABLE IF NOT EXISTS mail_wishes (
  account VARCHAR(320) NOT NULL,
  token VARCHAR(32) NOT NULL,
  processes VARCHAR(255) NOT NULL,
  pid INTEGER NOT NULL,
  why VARCHAR(255) NOT NULL,
  PRIMARY KEY (account, token)
);
"""
_HOLDER: Final = "SELECT token, processes, pid, host FROM mail_turns WHERE account = ?"
_WISHES: Final = "SELECT why, processes, pid FROM mail_wishes WHERE account = ? AND token <> ?"
_PATIENCE: Final = 30  # seconds to wait for another process's commit


class LedgerTurns:
    """``mailcopy.turns.Turns`` by a connection of its own; threads take turns on it."""

    def __init__(self, place: Path) -> None:
        """The ledger's file, which is there already.

        Raises:
            JournalError: it cannot be used.

        """
        self._place = place
        self._token = uuid4().hex
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._is_open = True
        with self._explained():
            self._connection = sqlite3.connect(place, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous = NORMAL")  # as for the rest of the ledger
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Give everything back."""
        with self._lock, self._explained():
            if not self._is_open:
                return
            self._is_open = False
            self._connection.execute("DELETE FROM mail_turns WHERE token = ?", (self._token,))
            self._connection.execute("DELETE FROM mail_wishes WHERE token = ?", (self._token,))
            self._connection.close()

    def take(self, accounts: Collection[str], /) -> Mapping[str, str]:
        """Those that no living process has or waits for."""
        others: dict[str, str] = {}
        me = (self._token, processes(), os.getpid(), platform.node())
        with self._transaction() as connection:
            for account in dict.fromkeys(accounts):
                why_not = "" if account in self._held else self._why_not(connection, account)
                if why_not:
                    others[account] = why_not
                    continue
                self._held[account] += 1
                mine = (account, self._token)
                connection.execute("INSERT OR REPLACE INTO mail_turns VALUES (?, ?, ?, ?, ?)", (account, *me))
                connection.execute("DELETE FROM mail_wishes WHERE account = ? AND token = ?", mine)
        return others

    def give_back(self, accounts: Collection[str], /) -> None:
        """Where they were taken as often."""
        with self._transaction() as connection:
            for account in accounts:
                self._held[account] -= 1
                if self._held[account] <= 0:
                    del self._held[account]
                    mine = (account, self._token)
                    connection.execute("DELETE FROM mail_turns WHERE account = ? AND token = ?", mine)

    def wanted(self, account: str, /) -> str:
        """By a living process."""
        with self._lock, self._explained():
            return self._wish_of_others(self._connection, account)

    def wish(self, accounts: Collection[str], why: str, /) -> None:
        """Noted until they are taken, or this process ends."""
        me = (self._token, processes(), os.getpid(), why)
        rows = [(account, *me) for account in accounts]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO mail_wishes VALUES (?, ?, ?, ?, ?)", rows)

    def _why_not(self, connection: sqlite3.Connection, account: str) -> str:
        holder = connection.execute(_HOLDER, (account,)).fetchone()
        if holder and holder[0] != self._token and _lives(holder[1], holder[2]):
            return f"process {holder[2]} on {holder[3]} works on it"
        mine = (account, self._token)
        waits = connection.execute("SELECT 1 FROM mail_wishes WHERE account = ? AND token = ?", mine).fetchone()
        return "" if waits else self._wish_of_others(connection, account)

    def _wish_of_others(self, connection: sqlite3.Connection, account: str) -> str:
        wishes = connection.execute(_WISHES, (account, self._token)).fetchall()
        return next((str(why) for why, processes, pid in wishes if _lives(processes, pid)), "")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            held = self._held.copy()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._held = held
                if self._connection.in_transaction:  # a full disk has rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(
                f"the mail ledger {self._place} cannot be used: {error}. Nothing more is copied, for two copies of one "
                "mailbox could meet; mend the file, or move it away: the next pass knows all copies again"
            ) from error


def _lives(processes: str, pid: int) -> bool:
    """A process of another machine, or of an earlier boot, has not got the ledger open any more."""
    return life_of(processes, pid) is Life.LIVES
