"""The time of this machine."""

from datetime import UTC, datetime


class SystemClock:
    """A Clock for real moves."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the Clock that everything else takes


def local(at: datetime) -> datetime:
    """The same moment by the zone of this machine."""
    return at.astimezone()
