"""A clock that the test owns."""

from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until the test moves it on."""

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Move on by seconds or a timedelta."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
