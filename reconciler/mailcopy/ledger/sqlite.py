"""The ledger of the mail copy: what became of each message of the source.

It has an SQLite file of its own, for it is written thousands of times in a pass and can be lost: the next pass matches
both sides anew and copies nothing twice. So it takes SQLite's WAL mode without a sync at each commit: a killed process
loses nothing, a power cut at most the last moments, which are matched like a lost ledger. It speaks to sqlite3 and not
through SQLAlchemy, as the journal does: a pass over an unchanged mailbox is a few milliseconds of work in all, and
SQLAlchemy would take longer to import than 2,000 messages take to be copied.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import JournalError
from reconciler.mailcopy.ledger import labels as ledger_labels
from reconciler.mailcopy.ledger import statements as sql
from reconciler.mailcopy.ledger.tables import SCHEMA, STATE, insertion
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.ledger import CopyKey, Doubt, FolderCounts, FolderState
from reconciler.model.last_pass import LastPass

if TYPE_CHECKING:
    from reconciler.ports import Clock  # brings pydantic with it

_FEW: Final = 500
"""Values in one IN (…); SQLite may take as few as 999."""

_PATIENCE: Final = 30  # seconds to wait for another process's commit


class SqlLedger:
    """A MailLedger in one database; threads take turns on its one connection."""

    def __init__(self, url: str, clock: "Clock") -> None:
        """Open ``sqlite:///PATH``, or ``sqlite://`` in memory, and make its tables where they are missing.

        Raises:
            JournalError: it cannot be opened.

        """
        self._name = url
        self._clock = clock
        self._lock = threading.RLock()
        self._copies: dict[CopyKey, int] = {}
        with self._explained():
            self._connection = sqlite3.connect(
                _place(url), timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(SCHEMA)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Let go of the database."""
        with self._lock, self._explained():
            self._connection.close()

    def folders(self, copy: CopyKey, /) -> Mapping[bytes, FolderState]:
        """The latest state of each source folder."""
        with self._transaction() as connection:
            rows = connection.execute(sql.FOLDERS, (self._copy(connection, copy),))
            return {state.source: state for state in (FolderState(*row) for row in rows)}

    def open_folder(self, copy: CopyKey, state: FolderState, /) -> FolderState:
        """The state under a number of its own."""
        with self._transaction() as connection:
            values = _values(state)
            made = connection.execute(sql.OPEN, (self._copy(connection, copy), *values))
            return FolderState(made.lastrowid or 0, *values)

    def close_folder(self, state: FolderState, /) -> None:
        """It stands as the state says."""
        with self._transaction() as connection:
            connection.execute(sql.CLOSE, (*_values(state), state.number))

    def records(self, folder: int, /, first: int = 1) -> Mapping[int, Record]:
        """What is known of source UIDs from ``first`` on."""
        with self._transaction() as connection:
            return _records(connection.execute(f"{sql.READ} AND uid >= ?", (folder, first)))

    def flags(self, folder: int, uids: Collection[int], /) -> Mapping[int, Record]:
        """What is known of these messages, where they were copied."""
        found: dict[int, Record] = {}
        with self._transaction() as connection:
            for few in _groups(uids):
                places = ", ".join("?" * len(few))
                query = f"{sql.READ} AND fate = ? AND uid IN ({places})"
                found.update(_records(connection.execute(query, (folder, Fate.COPIED.value, *few))))
        return found

    def told(self, folder: int, /) -> Mapping[int, str]:
        """What was said of messages that were copied: what had to be left off."""
        with self._transaction() as connection:
            return dict(connection.execute(sql.TOLD, (folder, Fate.COPIED.value)))

    def approve(self, folder: int, digests: Mapping[int, bytes], /) -> None:
        """These texts of copies are approved, by source UID; one that is stays."""
        with self._transaction() as connection:
            connection.executemany(sql.APPROVE, [(folder, uid, digest) for uid, digest in digests.items()])

    def approved(self, folder: int, /) -> Mapping[int, bytes]:
        """The digests of the approved texts, by source UID."""
        with self._transaction() as connection:
            return dict(connection.execute(sql.APPROVED, (folder,)))

    def target_uids(self, copy: CopyKey, target: bytes, uidvalidity: int, /) -> Collection[int]:
        """The UIDs in a target folder that are copies of ours, by the latest state of each source folder."""
        with self._transaction() as connection:
            rows = connection.execute(sql.OURS, (target, uidvalidity, self._copy(connection, copy)))
            return {uid for (uid,) in rows}

    def counts(self, folder: int, /) -> FolderCounts:
        """How many messages that the source still holds ended so, and what stands on the target."""
        held = "SELECT fate, count(*) FROM mail_messages WHERE folder = ? AND gone = 0 GROUP BY fate"
        there = "SELECT count(*), max(target_uid) FROM mail_messages WHERE folder = ? AND target_uid > 0"
        with self._transaction() as connection:
            fates = {Fate(fate): number for fate, number in connection.execute(held, (folder,))}
            known, top = connection.execute(there, (folder,)).fetchone()
            return FolderCounts(fates, known, top or 0)

    def begin(self, folder: int, uids: Sequence[int], target_uidnext: int, /) -> int:
        """A batch is about to be sent."""
        values = (folder, ",".join(uid_set.write(uids)), target_uidnext, _written(self._clock.now()))
        with self._transaction() as connection:
            made = connection.execute(insertion("mail_batches", "folder", "uids", "target_uidnext", "begun"), values)
            return made.lastrowid or 0

    def record(self, folder: int, records: Sequence[Record], /, batch: int | None = None) -> None:
        """What became of messages; ends the batch in the same transaction."""
        rows = [(folder, uid, fate.value, target_uid, flags, words) for uid, fate, target_uid, flags, words in records]
        with self._transaction() as connection:
            connection.executemany(sql.RECORD, rows)
            if batch is not None:
                connection.execute("DELETE FROM mail_batches WHERE number = ?", (batch,))

    def drop(self, batch: int, /) -> None:
        """The batch is decided."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM mail_batches WHERE number = ?", (batch,))

    def doubts(self, copy: CopyKey, /) -> Sequence[Doubt]:
        """The batches that began and did not end."""
        with self._transaction() as connection:
            return [
                Doubt(number, folder, tuple(uid_set.parse(uids)), target_uidnext, _read_time(begun))
                for number, folder, uids, target_uidnext, begun in connection.execute(
                    sql.DOUBTS, (self._copy(connection, copy),)
                )
            ]

    def gone(self, folder: int, uids: Collection[int], /) -> None:
        """The source holds these no more."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE mail_messages SET gone = 1 WHERE folder = ? AND uid = ?", [(folder, uid) for uid in uids]
            )

    def refused(self, copy: CopyKey, /) -> Sequence[tuple[bytes, Record]]:
        """The refused messages that the source still holds, by the latest state of each folder."""
        with self._transaction() as connection:
            rows = connection.execute(sql.STILL_REFUSED, (Fate.REFUSED.value, self._copy(connection, copy)))
            return [(raw, Record(uid, Fate.REFUSED, words=words)) for raw, uid, words in rows]

    def forget_refused(self, copy: CopyKey, /) -> None:
        """Refused messages are to be tried again, so their folders are gone through from the start."""
        with self._transaction() as connection:
            which = (Fate.REFUSED.value, self._copy(connection, copy))
            connection.execute(sql.AGAIN, which)
            connection.execute(sql.FORGET, which)

    def note_shown(self, folder: int, shown: Mapping[int, str], /) -> None:
        """Source UID to the message that the source shows there, maybe elsewhere too."""
        with self._transaction() as connection:
            ledger_labels.note_shown(connection, folder, shown)

    def homes(self, folders: Collection[int], messages: Collection[str], /) -> Mapping[str, int]:
        """Message to the folder, one of these, that it was copied from or refused in."""
        with self._transaction() as connection:
            return ledger_labels.homes(connection, folders, messages)

    def forget_stranded(self, folders: Collection[int], among: Collection[int], /) -> None:
        """What was left to another folder and never came from one of ``among`` is looked at again."""
        with self._transaction() as connection:
            ledger_labels.forget_stranded(connection, folders, among)

    def spend(self, copy: CopyKey, octets: int, /) -> None:
        """That much was carried today."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO mail_days (copy, day, octets) VALUES (?, ?, ?) "
                "ON CONFLICT (copy, day) DO UPDATE SET octets = octets + excluded.octets",
                (self._copy(connection, copy), self._today(), octets),
            )

    def spent(self, copy: CopyKey, /) -> int:
        """Octets carried today."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT octets FROM mail_days WHERE copy = ? AND day = ?", (self._copy(connection, copy), self._today())
            ).fetchone()
            return int(row[0]) if row else 0

    def passed(self, copy: CopyKey, last: LastPass, /) -> None:
        """A pass or a comparison has ended; what ``last`` leaves out stays as it was."""
        told = (
            _written(last.copied) if last.copied else None,
            _written(last.judged) if last.judged else None,
            last.grade.value if last.grade else None,
            _written(last.brought) if last.brought else None,
        )
        with self._transaction() as connection:
            connection.execute(sql.PASSED, (self._copy(connection, copy), *told))

    def _today(self) -> str:
        return self._clock.now().date().isoformat()

    def _copy(self, connection: sqlite3.Connection, copy: CopyKey) -> int:
        if copy not in self._copies:
            find = "SELECT id FROM mail_copies WHERE account = ? AND source = ? AND target = ?"
            found = connection.execute(find, copy).fetchone()
            if found is None:
                found = (connection.execute(insertion("mail_copies", *CopyKey._fields), copy).lastrowid,)
            self._copies[copy] = int(found[0])
        return self._copies[copy]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._copies.clear()
                if self._connection.in_transaction:  # a full disk has rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError) as error:
            twice = isinstance(error, sqlite3.IntegrityError)
            why = "an entry is already there: two copies share it" if twice else str(error)
            raise JournalError(
                f"the mail ledger {self._name} cannot be used: {why}. Nothing more is copied, for it "
                "could not be told later what was; mend the file, or move it away: the next pass knows all copies again"
            ) from error


def _place(url: str) -> str:
    kind, found, place = url.partition("://")
    if kind != "sqlite" or not found:
        raise JournalError(f"the mail ledger {url} is no SQLite file: sqlite:///PATH is")
    return place[1:] or ":memory:"


def _values(state: FolderState) -> tuple[Any, ...]:
    return tuple(getattr(state, name) for name in STATE)


def _records(rows: Iterable[tuple[int, str, int, str, str]]) -> dict[int, Record]:
    return {uid: Record(uid, Fate(fate), target_uid, flags, words) for uid, fate, target_uid, flags, words in rows}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _read_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _groups(uids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(uids)
    return (ordered[start : start + _FEW] for start in range(0, len(ordered), _FEW))
