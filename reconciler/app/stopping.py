"""How long work is stopped in good order: between two writes, or between two batches of messages."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Stopping = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Entered for the time of the work; gives the question that is asked in between: whether to stop."""


@contextmanager
def unstoppable() -> Iterator[Callable[[], bool]]:
    """Nobody stops it."""
    yield lambda: False
