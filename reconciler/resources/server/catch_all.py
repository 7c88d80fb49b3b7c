"""The catch-all: where mail for every other address of a domain goes."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.resources.server._forwarding import Forwarding, over_standing
from reconciler.spec.spec import Spec


class CatchAll(Forwarding):
    """``name`` is the domain; its targets get what no mailbox and no alias of the domain takes."""

    kind: ClassVar[str] = "catch_all"
    after: ClassVar[tuple[str, ...]] = ("domain", "mailbox", "alias")

    def needs(self) -> Iterable[Address]:
        """The mailboxes and aliases it delivers to, as far as they are on the same server."""
        for target in self.targets:
            yield Address(self.place, "mailbox", target)
            yield Address(self.place, "alias", target)


def desired(spec: Spec, stage: Stage) -> Iterator[CatchAll]:
    """On the new server always; on the old one until decommission, if the spec asks to empty it."""
    if spec.catch_all:
        yield CatchAll(place=Place.NEW, name=spec.domain, targets=frozenset({spec.catch_all}))
        if spec.decommission.empty_old and stage < Stage.DECOMMISSION:
            yield CatchAll(place=Place.OLD, name=spec.domain, targets=frozenset({spec.catch_all}))


def merge(wanted: CatchAll | None, standing: CatchAll | None) -> CatchAll | None:
    """Our targets on the new server, in the layout that stands, and whoever may send as it."""
    return over_standing(wanted, standing)


KIND = ServerKind(
    CatchAll, desired, merge=merge, source="Postfix virtual(5), @domain", changes_at=frozenset({Stage.DECOMMISSION})
)
