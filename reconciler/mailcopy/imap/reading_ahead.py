"""Reading goes on in a thread of its own while the target stores what was read before."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Self

from reconciler.mailcopy.imap.awake import EVERY
from reconciler.mailcopy.imap.reading import Brought, Job, read_messages
from reconciler.mailcopy.imap.session import Session

_ROOM = 10 * 1024 * 1024
"""Octets of messages in memory: the batch being written, the next one, and one being read. A bigger one is alone."""


class ReadAhead:
    """Iterate over it inside ``with``: every job in order, as read_messages brings them.

    Who asks for the next one has the messages of the last one out of memory, so that more may come in. The session is
    the thread's until the end of the ``with``; if that ends early, the connection is hung up.
    """

    def __init__(self, session: Session, jobs: deque[Job], idle: Callable[[], None] = lambda: None) -> None:
        """Nothing is read yet; jobs may be added meanwhile, from any thread.

        ``idle`` is called now and then while the one who iterates waits for the source.
        """
        self._idle = idle
        self._session, self._jobs = session, jobs
        self._turn = threading.Condition()
        self._held = 0
        self._stopped = False
        self._ready: deque[Brought | BaseException | None] = deque()
        self._thread = threading.Thread(target=self._read, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the thread, which after an error has nobody to read for any more."""
        if kind is not None:
            with self._turn:
                self._stopped = True
                self._turn.notify()
            self._session.wire.hang_up()
        self._thread.join()

    def __iter__(self) -> Iterator[Brought]:
        """What was read.

        Raises:
            MailError: what befell the reading.

        """
        while True:
            brought = self._next()
            if brought is None:
                return
            if isinstance(brought, BaseException):
                raise brought
            octets = brought.octets
            yield brought
            with self._turn:
                self._held -= octets
                self._turn.notify()

    def _next(self) -> Brought | BaseException | None:
        while True:
            with self._turn:
                if self._turn.wait_for(lambda: self._ready, EVERY):
                    return self._ready.popleft()
            self._idle()

    def _read(self) -> None:
        end: BaseException | None = None
        try:
            for brought in read_messages(self._session, self._jobs, self._take_in):
                self._hand(brought)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that iterates
            end = error
        self._hand(end)

    def _take_in(self, job: Job) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._stopped or not self._held or self._held + job.octets <= _ROOM)
            if self._stopped:
                raise _NobodyReads

    def _hand(self, brought: Brought | BaseException | None) -> None:
        with self._turn:
            if isinstance(brought, Brought):  # what did not come takes no room
                self._held += brought.octets
            self._ready.append(brought)
            self._turn.notify()


class _NobodyReads(Exception):  # noqa: N818 - no error: it ends the thread
    """The one who iterated is gone."""
