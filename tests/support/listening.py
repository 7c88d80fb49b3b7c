"""Whoever hears events in a test."""

from reconciler.model.event import Event


class Heard(list[Event]):
    """Keeps them in their order."""

    def tell(self, event: Event, /) -> None:
        self.append(event)
