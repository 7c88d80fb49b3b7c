"""Octets a second, over all connections to a server."""

import threading
import time
from collections.abc import Callable


class Pace:
    """A bound that all threads share; None is unbounded. A second's worth may go at once."""

    def __init__(
        self,
        octets_a_second: int | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with nothing owed; ``now`` in seconds on any scale."""
        self._rate = octets_a_second
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._paid_until = now()

    @property
    def slice(self) -> int | None:
        """How much may be taken in one go, so that a big message does not stop the others for long."""
        return None if self._rate is None else max(4096, self._rate // 4)

    def take(self, octets: int) -> None:
        """Wait until that many may go."""
        if self._rate is None:
            return
        with self._lock:
            start = max(self._paid_until, self._now() - 1)
            self._paid_until = start + octets / self._rate
            wait = self._paid_until - self._now()
        if wait > 0:
            self._sleep(wait)
