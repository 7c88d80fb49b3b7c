"""How many connections each server takes at once, for those who only look."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from reconciler.mailcopy.imap.server import Server

if TYPE_CHECKING:
    from reconciler.mailcopy.files.machine import Machine


class Rooms:
    """One for each address; all threads ask in one order, so no two wait for one another."""

    def __init__(self, servers: Iterable["Server | Machine"]) -> None:
        """All are free."""
        each = {(server.host, server.port): server for server in servers}
        self._free = {at: BoundedSemaphore(max(1, server.limits.connections)) for at, server in each.items()}

    @contextmanager
    def taken(self, *servers: "Server | Machine") -> Iterator[None]:
        """A place at each of the servers."""
        with ExitStack() as stack:
            for at in sorted({(server.host, server.port) for server in servers}):
                stack.enter_context(self._free[at])
            yield
