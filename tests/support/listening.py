"""Whoever hears events in a test."""

from collections.abc import Callable

from reconciler.mailcopy.job import Progress
from reconciler.model.event import Event, Hearer


class Heard(list[Event]):
    """Keeps them in their order."""

    def tell(self, event: Event, /) -> None:
        self.append(event)


def on_progress(hear: Callable[[Progress], object]) -> Hearer:
    """Hears of nothing but how mailboxes come on."""

    def tell(event: Event) -> None:
        if isinstance(event, Progress):
            hear(event)

    return Hearer(tell)
