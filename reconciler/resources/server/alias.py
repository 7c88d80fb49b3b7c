"""Aliases: addresses that deliver to other addresses."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.resources.server._forwarding import Forwarding, over_standing
from reconciler.spec.spec import Spec


class Alias(Forwarding):
    """``name`` delivers to every one of ``targets``."""

    kind: ClassVar[str] = "alias"
    after: ClassVar[tuple[str, ...]] = ("domain", "mailbox")

    def needs(self) -> Iterable[Address]:
        """The mailboxes it delivers to, as far as they are on the same server."""
        return (Address(self.place, "mailbox", target) for target in self.targets)


def desired(spec: Spec, stage: Stage) -> Iterator[Alias]:
    """On the new server always; on the old one until decommission, if the spec asks to empty it."""
    for name, targets in spec.aliases.items():
        yield Alias(place=Place.NEW, name=name, targets=frozenset(targets))
        if spec.decommission.empty_old and stage < Stage.DECOMMISSION:
            yield Alias(place=Place.OLD, name=name, targets=frozenset(targets))


def merge(wanted: Alias | None, standing: Alias | None) -> Alias | None:
    """Our targets on the new server, in the layout that stands, and whoever may send as it."""
    return over_standing(wanted, standing)


KIND = ServerKind(
    Alias, desired, merge=merge, source="RFC 5321, section 3.9.1", changes_at=frozenset({Stage.DECOMMISSION})
)
