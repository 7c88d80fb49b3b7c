"""A write that reads, compares and replaces while nobody else does: the locks of its files are held all the time."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Protocol, TypeVar

from reconciler.model.change import Change


class Lockable(Protocol):
    """A store whose files have locks."""

    def locked(self) -> AbstractContextManager[None]:
        """Hold those of all files that one write may change, taken together so that no circle can arise."""


S = TypeVar("S", bound=Lockable)


def under_lock(write: Callable[[S, Sequence[Change]], None]) -> Callable[[S, Sequence[Change]], None]:
    """Make ``write`` of a store hold its locks, so that what it reads afresh is what it replaces.

    Line files hold many domains: with the lock, the edit of one is laid over the text that another has just written.
    """

    @wraps(write)
    def locked(self: S, changes: Sequence[Change], /) -> None:
        with self.locked():
            write(self, changes)

    return locked
