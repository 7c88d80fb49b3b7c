"""What can exist: the one type shared by desired and observed state."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.address import Address, Place


class Resource(BaseModel):
    """A frozen value in normal form: equal means nothing to do.

    ``kind`` is the class's word. ``after`` names the kinds whose changes come first, in every layer of a plan.
    ``undoable``: a write that went wrong can be taken back; mail can only be added. ``for_making`` are the fields that
    only count when one is made, such as a secret's reference: no reading has them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    undoable: ClassVar[bool] = True
    for_making: ClassVar[frozenset[str]] = frozenset()
    place: Place
    name: str

    @property
    def address(self) -> Address:
        """Identity, stable over every change of the other fields."""
        return Address(self.place, self.kind, self.name)

    def as_read(self) -> Self:
        """Without what only counts at its making."""
        defaults = {field: type(self).model_fields[field].default for field in self.for_making}
        return self.model_copy(update=defaults) if defaults else self

    def needs(self) -> Iterable[Address]:
        """Addresses that must be right before this one is, and as long as this one is."""
        return ()

    def begins(self, _whole: "Resource | None") -> bool:
        """Whether this is what is there while ``whole`` is made or removed, in products that need several files."""
        return False

    def publishes(self) -> str | None:
        """The rdata that the DNS should show for it (a DKIM key's public half), if it has one and knows it."""
        return None


class TextResource(Resource):
    """A resource that stands as text in a file: two with the same meaning are equal, however they are spelt.

    ``stored`` is the text as the file has it: in a reading, never in a wish, and None where it cannot be told. Whoever
    puts the resource back writes it as it stood, if the text says no more than the other fields do.
    """

    stored: str | None = Field(default=None, repr=False)

    def __eq__(self, other: object) -> bool:
        """Whether both mean the same."""
        return type(self) is type(other) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        """As equality has it."""
        return hash(tuple(self._meaning().items()))

    def _meaning(self) -> dict[str, object]:
        return {field: value for field, value in self.__dict__.items() if field != "stored"}


State = Mapping[Address, Resource]
