"""The journal's tables, version 1.

Every row carries its mail domain, so that several moves can share one database. Names have a prefix, so that they can
stand beside other people's tables. Times are text of one width in UTC: exact in every database, and they sort.

A table that older journals do not have is added to them when they are next written, and their version stays: what is
read from a journal can be there without it, and an older program does not miss it.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, Connection, Dialect, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

SCHEMA_VERSION: Final = 1
_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


class Moment(TypeDecorator[datetime]):
    """An aware time as ``2026-03-02T08:00:00.000000Z``."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = String(27)
    cache_ok: bool | None = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - its interface
        """To UTC and text."""
        return value.astimezone(UTC).strftime(_FORMAT) if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To an aware time."""
        return datetime.fromisoformat(value) if value else None


_VALUE = JSON(none_as_null=True)  # None means absent, and absent is NULL
_metadata = MetaData()

meta = Table(
    "reconciler_meta",
    _metadata,
    Column("schema_version", Integer, primary_key=True, autoincrement=False),  # two makers cannot both have written it
)

runs = Table(
    "reconciler_runs",
    _metadata,
    Column("domain", String(255), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("intent", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("spec_digest", String(128), nullable=False),
    Column("plan_digest", String(64), nullable=False),
    Column("tool_version", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("started", Moment, nullable=False),
    Column("ended", Moment),
    Column("outcome", String(16)),
)

steps = Table(
    "reconciler_steps",
    _metadata,
    Column("id", Integer, primary_key=True),  # the order in which steps were begun
    Column("domain", String(255), nullable=False),
    Column("run", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("place", String(8), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(512), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("verb", String(1), nullable=False),
    Column("before", _VALUE),
    Column("after", _VALUE),
    Column("begun", Moment, nullable=False),
    Column("done", Moment),
    Column("failed", Moment),
    Column("why", Text, nullable=False, default=""),
    Index("reconciler_steps_of_run", "domain", "run", "number"),
)

GONE: Final = {"gone": True}
"""The value of a sighting from which on the server was no name server of the zone any more."""

sightings = Table(
    "reconciler_sightings",
    _metadata,
    Column("id", Integer, primary_key=True),  # the order in which they were seen
    Column("domain", String(255), nullable=False),
    Column("server", String(255), nullable=False),
    Column("name", String(300), nullable=False),
    Column("value", _VALUE),
    Column("first_seen", Moment, nullable=False),
    Index("reconciler_sightings_of_name", "domain", "server", "name"),
)

locks = Table(
    "reconciler_locks",
    _metadata,
    Column("domain", String(255), primary_key=True),  # of a move; an address, where one mailbox is copied
    Column("token", String(32), nullable=False),
    Column("host", String(255), nullable=False),
    Column("processes", String(255), nullable=False),  # see reconciler.transports.process; empty: not known
    Column("pid", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
)

wishes = Table(
    "reconciler_wishes",
    _metadata,
    Column("domain", String(255), primary_key=True),  # which lock is to be given back
    Column("token", String(32), primary_key=True),  # of who waits for it
    Column("why", Text, nullable=False),
    Column("expires", Moment, nullable=False),
)
"""Locks that somebody waits for: their holders look here, and give them back when they can."""

NAMES: Final = frozenset(_metadata.tables)


def create_missing(connection: Connection) -> None:
    """Every table that is not there yet; the one with the version last, for it says that the others are there."""
    _metadata.create_all(connection, tables=[table for table in _metadata.sorted_tables if table is not meta])
    _metadata.create_all(connection, tables=[meta])
