"""The database behind a journal: one SQLite file, or whatever a URL names.

A SQLite file keeps its default journal mode, DELETE: between two writes everything is in the one file, which can be
copied, and a plan can read it where nothing may be written (WAL would need two more files and shared memory, and does
not work over a network file system). In this mode ``synchronous`` must be EXTRA for a commit to outlive a power cut:
FULL does not sync the folder after the rollback journal is removed (sqlite.org/pragma.html#pragma_synchronous).
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, insert, inspect, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reconciler.errors import JournalError
from reconciler.journal import tables
from reconciler.spec.database_url import scrubbed, shown
from reconciler.transports import owner_files

_PATIENCE: Final = 10  # seconds to wait for another process's commit; ours take milliseconds
_READS_ONLY: Final = "journal_reads_only"
_MAKERS: Final = 7_026_364_130  # our number among PostgreSQL's advisory locks: whoever makes the tables has it
_TRIES: Final = 3  # of making tables, where others make them too
_WITHOUT: Final = (
    "restore it from a backup, or move it away and go on without it: the servers and the zone are read anew each time, "
    "so that only the rollback of earlier runs and the time since which caches are waited for are lost"
)
_ADVICE: Final = (
    ("not a database", f"it is damaged or no journal: {_WITHOUT}"),
    ("malformed", f"it is damaged: {_WITHOUT}"),
    ("full", "make room on that disk and try again"),
    ("disk I/O error", "make room on that disk, or see what is wrong with it, and try again"),
    ("readonly", "give yourself write access to the file and its folder, and try again"),
    ("unable to open", "give yourself access to the file and its folder, and try again"),
    ("locked", "another process is writing to it: try again when it has finished"),
)


class Database:
    """Transactions on the journal, every failure of which is a JournalError that names the place and what to do."""

    def __init__(self, engine: Engine, name: str, scrub: Callable[[str], str] = str) -> None:
        """``name`` is the path, or the URL as it may be shown; ``scrub`` takes secrets out of the driver's words."""
        self._engine = engine
        self._scrub = scrub
        self.name = name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view.

        Raises:
            JournalError: it cannot be read.

        """
        options: dict[str, Any] = {_READS_ONLY: True}
        if self._engine.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"  # else each statement sees what is committed by then
        with (
            self._explained("read"),
            self._engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing, and durable when the block has ended; alone on SQLite.

        Raises:
            JournalError: it cannot be written; nothing of the block was.

        """
        with self._explained("written"), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def is_empty(self) -> bool:
        """Whether there is no journal in it yet.

        Raises:
            JournalError: it is another program's database, or a newer version's journal.

        """
        with self.reading() as connection:
            return self._is_empty(connection)

    def prepare(self) -> None:
        """Make the tables where they are missing; others may make them at the same moment.

        Raises:
            JournalError: as ``is_empty``, or it cannot be written.

        """
        for tried in range(1, _TRIES + 1):
            if not self._missing():
                return
            try:
                self._make()
            except JournalError:
                # most databases know no lock on what is not there yet: somebody was faster, or it cannot be made
                if tried == _TRIES and self._missing():
                    raise

    def _missing(self) -> bool:
        with self.reading() as connection:
            return self._is_empty(connection) or not tables.NAMES.issubset(inspect(connection).get_table_names())

    def _make(self) -> None:
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MAKERS)))
            is_new = self._is_empty(connection)  # still: another process may have been faster
            tables.create_missing(connection)
            if is_new:
                connection.execute(insert(tables.meta).values(schema_version=tables.SCHEMA_VERSION))

    def _is_empty(self, connection: Connection) -> bool:
        names = inspect(connection).get_table_names()
        if tables.meta.name in names:
            found = connection.execute(select(tables.meta.c.schema_version)).scalars().all()
            if not found and connection.dialect.name != "sqlite":
                return True  # where tables are made outside of transactions, somebody is about to write the version
            self._check_version(found)
            return False
        if names and connection.dialect.name == "sqlite":
            msg = (
                f"{self.name} is another program's database (it has a table {names[0]}), and a journal in it could be "
                "overwritten: name another file under journal: in the spec"
            )
            raise JournalError(msg)
        return True

    def _check_version(self, found: Any) -> None:
        if set(found) == {tables.SCHEMA_VERSION}:  # older programs that made one journal at once have written it twice
            return
        msg = (
            f"the journal {self.name} has version {', '.join(map(str, found)) or 'unknown'}, and this reconciler reads "
            f"version {tables.SCHEMA_VERSION}: use the newest reconciler that has worked with it"
        )
        raise JournalError(msg)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # the driver's words alone: SQLAlchemy would add the statement and its values
            words = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
            advice = next((text for sign, text in _ADVICE if sign in words), "see that the database is in order")
            msg = (
                f"the journal {self.name} cannot be {what}: {self._scrub(words.strip())}; {advice}. "
                "No step is begun that is not in the journal first"
            )
            raise JournalError(msg) from None


def open_sqlite(path: Path, *, create: bool) -> Database:
    """A SQLite file; a new one can be read and written by its owner only.

    Raises:
        JournalError: it cannot be made or written.

    """
    if create:
        try:
            owner_files.make_database(path)
        except OSError as error:
            msg = (
                f"the journal {path} cannot be opened for writing: {error.strerror}; without it nothing is changed: "
                "give yourself access to the file and its folder, or name another file under journal: in the spec"
            )
            raise JournalError(msg) from error

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        connection.execute("PRAGMA synchronous = EXTRA")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get(_READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return Database(engine, str(path))


def open_url(url: str) -> Database:
    """Any other database that SQLAlchemy can speak to.

    Raises:
        JournalError: the URL cannot be understood, or the driver for it is not installed.

    """
    name, engine, wrong = shown(url), None, ""
    try:
        engine = create_engine(make_url(url), pool_pre_ping=True)
    except ImportError as error:
        wrong = f"the Python module {error.name} is not installed: install the driver of that database"
    except (SQLAlchemyError, ValueError) as error:  # their words may quote the URL
        wrong = (
            f"SQLAlchemy does not understand it ({type(error).__name__}): write DIALECT://USER@HOST/DATABASE, such as "
            "sqlite:///FILE, with a dialect that is installed"
        )
    if engine is None:
        raise JournalError(f"the journal {name} cannot be opened: {wrong}")
    return Database(engine, name, partial(scrubbed, url=url))
