"""Quotas: how much an account may store."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.resource import TextResource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


class Quota(TextResource):
    """``name`` is the account's address; ``size`` in bytes, 0 is unlimited. An account without a rule has none."""

    kind: ClassVar[str] = "quota"
    after: ClassVar[tuple[str, ...]] = ("mailbox",)
    size: int

    def needs(self) -> Iterable[Address]:
        """The account it limits."""
        return (Address(self.place, "mailbox", self.name),)


def desired(spec: Spec, _stage: Stage) -> Iterator[Quota]:
    """On the new server, for every mailbox of which the spec says one."""
    for mailbox in spec.mailboxes:
        if mailbox.quota is not None:
            yield Quota(place=Place.NEW, name=mailbox.address, size=mailbox.quota)


def merge(wanted: Quota | None, standing: Quota | None) -> Quota | None:
    """Ours; where the limit is the same, the spelling that stands."""
    return standing if standing == wanted else wanted


KIND = ServerKind(Quota, desired, merge=merge, source="RFC 9208", changes_at=frozenset())
