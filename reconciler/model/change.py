"""A change is a pair of values; its inverse swaps them."""

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.model.address import Address
from reconciler.model.resource import Resource


class Verb(StrEnum):
    """What a change does, by the sign that stands in a plan."""

    CREATE = "+"
    UPDATE = "~"
    DELETE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` becomes ``after``; None means absent. Not both are None.

    ``address`` is that of the resource that changes: made once, because plans are long and ask for it often.
    """

    before: Resource | None
    after: Resource | None
    address: Address = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the identity from the side that exists."""
        object.__setattr__(self, "address", self.subject.address)

    @property
    def subject(self) -> Resource:
        """The side that exists, the later one if both do."""
        subject = self.after or self.before
        assert subject is not None
        return subject

    @property
    def verb(self) -> Verb:
        """Which of the three changes this is."""
        if self.before is None:
            return Verb.CREATE
        return Verb.DELETE if self.after is None else Verb.UPDATE

    def inverse(self) -> "Change":
        """The change that undoes this one."""
        return Change(before=self.after, after=self.before)
