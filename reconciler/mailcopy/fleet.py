"""Many mailboxes at once, within the bounds of their servers; the biggest first, for they decide when all is done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from reconciler.mailcopy.either import AnyCopy, copy_mailbox
from reconciler.mailcopy.imap.server import Server
from reconciler.mailcopy.job import MailboxReport, Means, State
from reconciler.mailcopy.pace import Pace

if TYPE_CHECKING:
    from reconciler.mailcopy.files.machine import Machine

_Address = tuple[str, int]
PARALLEL = 16
"""Mailboxes at once: most of a pass over an unchanged mailbox is waiting for answers."""


class Gates:
    """What all mailboxes of a server share: how many connections it takes, and how fast they may be together."""

    def __init__(self, servers: "Iterable[Server | Machine]", pace: Callable[[int | None], Pace] = Pace) -> None:
        """One gate for each address; ``pace`` makes the bound of its octets a second."""
        each = {(server.host, server.port): server for server in servers}
        self._free = {at: BoundedSemaphore(max(1, server.limits.connections)) for at, server in sorted(each.items())}
        self._paces = {at: pace(server.limits.octets_a_second) for at, server in each.items()}

    def copy(self, copy: AnyCopy, means: Means) -> MailboxReport:
        """One pass, once both servers have room; all threads ask in one order, so no two wait for one another."""
        source, target = ((end.server.host, end.server.port) for end in (copy.source, copy.target))
        with ExitStack() as stack:
            for at in sorted({source, target}):
                stack.enter_context(self._free[at])
            held_by = stack.enter_context(means.holding(copy.key.account))
            if held_by:
                now = means.clock.now()
                return MailboxReport(copy.key, State.HELD, now, now, words=held_by)
            paces = (self._paces[source], self._paces[target])
            return copy_mailbox(copy, replace(means, paces=paces, second=lambda: self._second(source, target)))

    @contextmanager
    def _second(self, *addresses: _Address) -> Iterator[bool]:
        """Room for one more connection to each server, if there is some now: a mailbox that waits goes first."""
        with ExitStack() as stack:
            for at in sorted(set(addresses)):
                if not self._free[at].acquire(blocking=False):
                    yield False
                    return
                stack.callback(self._free[at].release)
            yield True


def copy_all(copies: Iterable[AnyCopy], means: Means, parallel: int = PARALLEL) -> Iterator[MailboxReport]:
    """One pass over each mailbox; reports as they come. A mailbox that fails stops no other.

    ``means.events`` hear from several threads. Closing the iterator lets running mailboxes end and begins no more.

    Raises:
        JournalError: the ledger cannot be written.

    """
    ordered = sorted(copies, key=lambda copy: copy.octets, reverse=True)
    gates = Gates(end.server for copy in ordered for end in (copy.source, copy.target))
    with ThreadPoolExecutor(max_workers=max(1, parallel), thread_name_prefix="copy") as threads:
        running = [threads.submit(gates.copy, copy, means) for copy in ordered]
        try:
            for done in as_completed(running):
                yield done.result()
        finally:
            for future in running:
                future.cancel()
