"""A connection that has nothing to do while the other side takes its time: servers and firewalls end silent ones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from reconciler.errors import MailError
from reconciler.mailcopy.imap.session import Session

EVERY: Final = 1.0
"""Seconds of silence: some servers end it after a minute (Courier), some firewalls after five, and few much sooner."""


def say_something(session: Session) -> None:
    """NOOP, and its answer.

    Raises:
        ConnectionCut: it is too late.

    """
    for _ in session.wire.until(session.wire.command(b"NOOP")):
        pass


@contextmanager
def kept_awake(session: Session, every: float = EVERY) -> Iterator[None]:
    """Say something now and then, as long as nobody else uses the connection; who uses it next hears of its end."""
    done = threading.Event()

    def keep() -> None:
        try:
            while not done.wait(every):
                say_something(session)
        except MailError:
            return

    thread = threading.Thread(target=keep, name="keep-awake", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
