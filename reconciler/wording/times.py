"""Times as people read them: in UTC, and by the reader's own clock where that differs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Local = Callable[[datetime], datetime]
"""Turns an aware time into the reader's own zone."""


def in_utc(at: datetime) -> datetime:
    """For readers in many places."""
    return at.astimezone(UTC)


def moment(at: datetime, local: Local = in_utc) -> str:
    """``2026-11-24 14:05 UTC (15:05 local)``; the local date only where it is another one."""
    utc, there = at.astimezone(UTC), local(at)
    text = f"{utc:%Y-%m-%d %H:%M} UTC"
    if there.utcoffset() == utc.utcoffset():
        return text
    return f"{text} ({there:%H:%M} local)" if there.date() == utc.date() else f"{text} ({there:%Y-%m-%d %H:%M} local)"


def due(at: datetime, local: Local = in_utc) -> str:
    """The moment by which ``at`` has come: the next whole minute, so that whoever comes back then is not too early."""
    whole = at.replace(second=0, microsecond=0)
    return moment(whole if whole == at else whole + timedelta(minutes=1), local)
