"""What can exist: the one type shared by desired and observed state."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from reconciler.model.address import Address, Place


class Resource(BaseModel):
    """A frozen value in normal form: equal means nothing to do.

    ``kind`` is the class's word. ``after`` names the kinds whose changes come first, in every layer of a plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    place: Place
    name: str

    @property
    def address(self) -> Address:
        """Identity, stable over every change of the other fields."""
        return Address(self.place, self.kind, self.name)

    def needs(self) -> Iterable[Address]:
        """Addresses that must be right before this one is, and as long as this one is."""
        return ()

    def begins(self, _whole: "Resource | None") -> bool:
        """Whether this is what is there while ``whole`` is made or removed, in products that need several files."""
        return False

    def publishes(self) -> str | None:
        """The rdata that the DNS should show for it (a DKIM key's public half), if it has one and knows it."""
        return None


State = Mapping[Address, Resource]
