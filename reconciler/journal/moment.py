"""Whose clock tells when a lease is over: of a database that machines share, its own; none of them is ahead of it."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, literal_column, select

from reconciler.ports import Clock

_NOW: Final = {
    "postgresql": "clock_timestamp()",  # now() is when the transaction began, before it waited for another one
    "mysql": "UTC_TIMESTAMP(6)",
    "mariadb": "UTC_TIMESTAMP(6)",
    "mssql": "SYSUTCDATETIME()",
    "oracle": "SYS_EXTRACT_UTC(SYSTIMESTAMP)",
}
_ELSEWHERE: Final = "CURRENT_TIMESTAMP"  # of standard SQL; the zone is the session's, one and the same for all runs


def now_in(connection: Connection, clock: Clock) -> datetime:
    """The time by which this database's runs go, aware, in UTC.

    A SQLite file has no clock: those who share it share a machine, and its clock is ``clock``.
    """
    if connection.dialect.name == "sqlite":
        return clock.now()
    expression: ColumnElement[datetime] = literal_column(_NOW.get(connection.dialect.name, _ELSEWHERE))
    found = connection.execute(select(expression)).scalar_one()
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
