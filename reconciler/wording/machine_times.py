"""Times in JSON."""

from datetime import UTC, datetime


def encoded(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, as in a saved plan."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
