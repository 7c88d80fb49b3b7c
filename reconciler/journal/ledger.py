"""The ledger of the mail copy: what became of each message of the source.

It has a database of its own, by default an SQLite file, for it is written thousands of times in a pass and can be
lost: the next pass matches both sides anew and copies nothing twice. So it takes SQLite's WAL mode without a sync at
each commit: a killed process loses nothing, a power cut at most the last moments, which are matched like a lost ledger.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, delete, event, func, insert, make_url, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from reconciler.errors import JournalError
from reconciler.journal.ledger_tables import batches as _batches
from reconciler.journal.ledger_tables import copies as _copies
from reconciler.journal.ledger_tables import days as _days
from reconciler.journal.ledger_tables import folders as _folders
from reconciler.journal.ledger_tables import messages as _messages
from reconciler.journal.ledger_tables import metadata
from reconciler.journal.ledger_tables import passes as _passes
from reconciler.model.mail import uid_set
from reconciler.model.mail.accounting import Fate, Record
from reconciler.model.mail.last_pass import LastPass
from reconciler.model.mail.ledger import CopyKey, Doubt, FolderCounts, FolderState
from reconciler.ports import Clock

_FEW = 500
"""Values in one IN (…); SQLite takes 32766, others fewer."""


class SqlLedger:
    """A MailLedger in one database; threads take turns on its one connection."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Open it, and make its tables where they are missing.

        Raises:
            JournalError: it cannot be opened.

        """
        self._name = make_url(url).render_as_string(hide_password=True)
        self._clock = clock
        self._lock = threading.RLock()
        self._copies: dict[CopyKey, int] = {}
        with self._explained():
            self._engine = _engine(url)
            self._connection = self._engine.connect()
            metadata.create_all(self._connection)
            self._connection.commit()

    def close(self) -> None:
        """Let go of the database."""
        with self._lock, self._explained():
            self._connection.close()
            self._engine.dispose()

    def folders(self, copy: CopyKey, /) -> Mapping[bytes, FolderState]:
        """The latest state of each source folder."""
        with self._transaction() as connection:
            rows = connection.execute(
                select(_folders).where(_folders.c.copy == self._copy(connection, copy)).order_by(_folders.c.number)
            )
            states = (FolderState(**{name: row[name] for name in FolderState.__slots__}) for row in rows.mappings())
            return {state.source: state for state in states}

    def open_folder(self, copy: CopyKey, state: FolderState, /) -> FolderState:
        """The state under a number of its own."""
        with self._transaction() as connection:
            values = {name: getattr(state, name) for name in FolderState.__slots__ if name != "number"}
            made = connection.execute(insert(_folders).values(copy=self._copy(connection, copy), **values))
            (number,) = made.inserted_primary_key or (0,)
            return FolderState(number=number, **values)

    def close_folder(self, state: FolderState, /) -> None:
        """It stands as the state says."""
        values = {name: getattr(state, name) for name in FolderState.__slots__ if name != "number"}
        with self._transaction() as connection:
            connection.execute(update(_folders).where(_folders.c.number == state.number).values(**values))

    def records(self, folder: int, /, first: int = 1) -> Mapping[int, Record]:
        """What is known of source UIDs from ``first`` on."""
        with self._transaction() as connection:
            return _read(connection, _messages.c.folder == folder, _messages.c.uid >= first)

    def flags(self, folder: int, uids: Collection[int], /) -> Mapping[int, Record]:
        """What is known of these messages, where they were copied."""
        found: dict[int, Record] = {}
        with self._transaction() as connection:
            for few in _groups(uids):
                found.update(
                    _read(
                        connection,
                        _messages.c.folder == folder,
                        _messages.c.uid.in_(few),
                        _messages.c.fate == Fate.COPIED.value,
                    )
                )
        return found

    def target_uids(self, copy: CopyKey, target: bytes, uidvalidity: int, /) -> Collection[int]:
        """The UIDs in a target folder that are copies of ours, by the latest state of each source folder."""
        with self._transaction() as connection:
            mine = _folders.c.copy == self._copy(connection, copy)
            latest = select(func.max(_folders.c.number)).where(mine).group_by(_folders.c.source)
            same = select(_folders.c.number).where(
                _folders.c.number.in_(latest),
                _folders.c.target == target,
                _folders.c.target_uidvalidity == uidvalidity,
            )
            query = select(_messages.c.target_uid).where(_messages.c.folder.in_(same), _messages.c.target_uid > 0)
            return set(connection.execute(query).scalars())

    def counts(self, folder: int, /) -> FolderCounts:
        """How many messages that the source still holds ended so, and what stands on the target."""
        held = (
            select(_messages.c.fate, func.count())
            .where(_messages.c.folder == folder, _messages.c.gone.is_(False))
            .group_by(_messages.c.fate)
        )
        there = select(func.count(), func.max(_messages.c.target_uid)).where(
            _messages.c.folder == folder, _messages.c.target_uid > 0
        )
        with self._transaction() as connection:
            fates = {Fate(fate): number for fate, number in connection.execute(held)}
            known, top = connection.execute(there).one()
            return FolderCounts(fates, known, top or 0)

    def begin(self, folder: int, uids: Sequence[int], target_uidnext: int, /) -> int:
        """A batch is about to be sent."""
        values = {
            "folder": folder,
            "uids": ",".join(uid_set.write(uids)),
            "target_uidnext": target_uidnext,
            "begun": self._clock.now().replace(tzinfo=None),
        }
        with self._transaction() as connection:
            (number,) = connection.execute(insert(_batches).values(values)).inserted_primary_key or (0,)
            return int(number)

    def record(self, folder: int, records: Sequence[Record], /, batch: int | None = None) -> None:
        """What became of messages; ends the batch in the same transaction."""
        rows = [{"folder": folder, "gone": False, **r._asdict(), "fate": r.fate.value} for r in records]
        with self._transaction() as connection:
            for few in _groups([r.uid for r in records]):
                connection.execute(delete(_messages).where(_messages.c.folder == folder, _messages.c.uid.in_(few)))
            if rows:
                connection.execute(insert(_messages), rows)
            if batch is not None:
                connection.execute(delete(_batches).where(_batches.c.number == batch))

    def drop(self, batch: int, /) -> None:
        """The batch is decided."""
        with self._transaction() as connection:
            connection.execute(delete(_batches).where(_batches.c.number == batch))

    def doubts(self, copy: CopyKey, /) -> Sequence[Doubt]:
        """The batches that began and did not end."""
        with self._transaction() as connection:
            query = (
                select(_batches)
                .join(_folders, _folders.c.number == _batches.c.folder)
                .where(_folders.c.copy == self._copy(connection, copy))
                .order_by(_batches.c.number)
            )
            zone = self._clock.now().tzinfo
            return [
                Doubt(r.number, r.folder, tuple(uid_set.parse(r.uids)), r.target_uidnext, r.begun.replace(tzinfo=zone))
                for r in connection.execute(query)
            ]

    def gone(self, folder: int, uids: Collection[int], /) -> None:
        """The source holds these no more."""
        with self._transaction() as connection:
            for few in _groups(uids):
                connection.execute(
                    update(_messages).where(_messages.c.folder == folder, _messages.c.uid.in_(few)).values(gone=True)
                )

    def forget_refused(self, copy: CopyKey, /) -> None:
        """Refused messages are to be tried again, so their folders are gone through from the start."""
        with self._transaction() as connection:
            numbers = select(_folders.c.number).where(_folders.c.copy == self._copy(connection, copy))
            refused = _messages.c.fate == Fate.REFUSED.value
            held = select(_messages.c.folder).where(_messages.c.folder.in_(numbers), refused)
            connection.execute(update(_folders).where(_folders.c.number.in_(held)).values(uidnext=1, messages=-1))
            connection.execute(delete(_messages).where(_messages.c.folder.in_(numbers), refused))

    def spend(self, copy: CopyKey, octets: int, /) -> None:
        """That much was carried today."""
        with self._transaction() as connection:
            mine = {"copy": self._copy(connection, copy), "day": self._clock.now().date()}
            row = (_days.c.copy == mine["copy"], _days.c.day == mine["day"])
            if not connection.execute(update(_days).where(*row).values(octets=_days.c.octets + octets)).rowcount:
                connection.execute(insert(_days).values(**mine, octets=octets))

    def spent(self, copy: CopyKey, /) -> int:
        """Octets carried today."""
        with self._transaction() as connection:
            row = (_days.c.copy == self._copy(connection, copy), _days.c.day == self._clock.now().date())
            return int(connection.execute(select(_days.c.octets).where(*row)).scalar() or 0)

    def passed(self, copy: CopyKey, last: LastPass, /) -> None:
        """A pass or a comparison has ended; what ``last`` leaves out stays as it was."""
        told = {
            "copied": last.copied and last.copied.astimezone(UTC).replace(tzinfo=None),
            "judged": last.judged and last.judged.astimezone(UTC).replace(tzinfo=None),
            "grade": last.grade and last.grade.value,
        }
        values = {name: value for name, value in told.items() if value is not None}
        if not values:
            return
        with self._transaction() as connection:
            mine = self._copy(connection, copy)
            if not connection.execute(update(_passes).where(_passes.c.copy == mine).values(**values)).rowcount:
                connection.execute(insert(_passes).values(copy=mine, **values))

    def _copy(self, connection: Connection, copy: CopyKey) -> int:
        if copy not in self._copies:
            columns = (
                _copies.c.account == copy.account,
                _copies.c.source == copy.source,
                _copies.c.target == copy.target,
            )
            found = connection.execute(select(_copies.c.id).where(*columns)).scalar()
            if found is None:
                (found,) = connection.execute(insert(_copies).values(copy._asdict())).inserted_primary_key or (0,)
            self._copies[copy] = int(found)
        return self._copies[copy]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, self._explained():
            try:
                yield self._connection
                self._connection.commit()
            except BaseException:
                self._copies.clear()
                self._connection.rollback()
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            why = "an entry is already there: two copies share it" if isinstance(error, IntegrityError) else str(error)
            raise JournalError(
                f"the mail ledger {self._name} cannot be used: {why.splitlines()[0]}. Nothing more is copied, for it "
                "could not be told later what was; mend the file, or move it away: the next pass knows all copies again"
            ) from error


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def _read(connection: Connection, *where: Any) -> dict[int, Record]:
    columns = (_messages.c.uid, _messages.c.fate, _messages.c.target_uid, _messages.c.flags, _messages.c.words)
    rows = connection.execute(select(*columns).where(*where))
    return {uid: Record(uid, Fate(fate), target_uid, flags, words) for uid, fate, target_uid, flags, words in rows}


def _groups(uids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(uids)
    return (ordered[start : start + _FEW] for start in range(0, len(ordered), _FEW))
