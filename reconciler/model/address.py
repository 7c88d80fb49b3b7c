"""The identity of a resource, and of nothing else."""

from enum import StrEnum
from typing import NamedTuple


class Place(StrEnum):
    """Where a resource lives."""

    OLD = "old"
    NEW = "new"
    DNS = "dns"


class Address(NamedTuple):
    """Stable over every change of a resource: ``new/mailbox/ann@example.org``."""

    place: Place
    kind: str
    name: str

    def __str__(self) -> str:
        """Render as a path."""
        return f"{self.place}/{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The inverse of ``str()``.

        Raises:
            ValueError: the text has no three parts or an unknown place.

        """
        place, kind, name = text.split("/", 2)
        return cls(Place(place), kind, name)
