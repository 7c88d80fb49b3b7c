"""What happens while something is done, as values: a terminal, JSON lines, a queue or nobody hears of it.

Each kind of event is a class of its own, in the room that it comes from. Whoever hears leaves out what says nothing to
it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Something has happened, or begins now."""


class Events(Protocol):
    """The port for all that is told on the way: whoever hears how a use case goes."""

    def tell(self, event: Event, /) -> None:
        """Something has happened. Called by any thread; it returns soon."""


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """What is waited for now: servers that do not serve a record yet that was written, a mailbox that others have."""

    words: str


@dataclass(frozen=True, slots=True)
class Hearer:
    """Events that a function hears."""

    tell: Callable[[Event], None]


class Nobody:
    """Events that nobody hears: how a library is silent."""

    def tell(self, event: Event, /) -> None:
        """Let it go."""


NOBODY: Final = Nobody()


class Together:
    """Several hear the same, in this order."""

    def __init__(self, *hearers: Events) -> None:
        """Whoever is to hear."""
        self._hearers = hearers

    def tell(self, event: Event, /) -> None:
        """To one after the other."""
        for hearer in self._hearers:
            hearer.tell(event)
