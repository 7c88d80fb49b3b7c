"""A lease is renewed by a thread of its own while it is held: a step may take as long as it takes."""

import threading
from collections.abc import Callable
from datetime import timedelta

from reconciler.errors import JournalError, Locked
from reconciler.ports import Clock


class Keeper:
    """Renews one lease from ``start`` to ``stop``, a third of it before each look; remembers that it was lost."""

    def __init__(self, renew: Callable[[], None], lease: timedelta, clock: Clock) -> None:
        """``renew`` raises Locked where the lease is another's, and JournalError where that cannot be told now."""
        self._renew, self._lease, self._clock = renew, lease, clock
        self._until = clock.now() + lease
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeps a lock", daemon=True)
        self.lost = ""

    def start(self) -> None:
        """From now on; the lease was taken just now."""
        self._thread.start()

    def stop(self) -> None:
        """No more. It does not wait for a database that does not answer."""
        self._ended.set()

    def beat(self) -> timedelta | None:
        """Renew, and say when to do it again; None where the lease was lost, or may have been."""
        try:
            self._renew()
        except Locked as error:
            self.lost = str(error)
            return None
        except JournalError as error:
            if self._clock.now() < self._until:
                return self._lease / 12  # a database that is restarted is back in seconds
            self.lost = f"the lock could not be renewed until its lease was over, so that others may have it: {error}"
            return None
        self._until = self._clock.now() + self._lease
        return self._lease / 3

    def _run(self) -> None:
        pause: timedelta | None = self._lease / 3
        while pause is not None and not self._ended.wait(pause.total_seconds()):
            pause = self.beat()
