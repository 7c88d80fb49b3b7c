"""The stored mail as stores of a move: read from the ledger and the TTL clock, written by passes of the mail copy."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from reconciler.analysis.mail_standing import Delivery, returned, stored
from reconciler.app.copying.carrier import Carrier
from reconciler.app.copying.ledger import last_passes
from reconciler.app.move import Move
from reconciler.engine.observe import Stores
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.sighting import History
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail

_AT_ONCE: Final = 1_000_000
"""Mailboxes in one write: all that a plan has, for the biggest are to begin first."""

Histories = Callable[[], Mapping[str, History]]


def mail_stores(move: Move, histories: Histories, carrier: Carrier | None = None) -> Stores:
    """Both kinds of mail; none where the spec has no section ``copy``. Without ``carrier`` they are only read."""
    if move.spec.mail_copy is None:
        return {}

    def new() -> Iterable[Resource]:
        return stored(move.spec, last_passes(move.path), Delivery.of(move.spec, histories()), move.clock.now())

    def old() -> Iterable[Resource]:
        return returned(move.spec, last_passes(move.path, back=True), Delivery.of(move.spec, histories()))

    def carry(changes: Sequence[Change], *, back: bool) -> None:
        from reconciler.app.copying.steps import carry_mail  # noqa: PLC0415 - brings imapclient with it

        assert carrier is not None
        carry_mail(move, changes, histories() if back else None, carrier)

    return {
        (Place.NEW, StoredMail.kind): _Store(new, partial(carry, back=False)),
        (Place.OLD, ReturnedMail.kind): _Store(old, partial(carry, back=True)),
    }


@dataclass(slots=True)
class _Store:
    """A Store whose writes are not all or nothing: a mailbox that cannot be copied keeps no other one back."""

    look: Callable[[], Iterable[Resource]]
    carry: Callable[[Sequence[Change]], None]
    batch: int = _AT_ONCE

    def read(self, names: Collection[str] | None = None) -> Iterator[Any]:
        """What the ledger knows."""
        return (mail for mail in self.look() if names is None or mail.name in names)

    def write(self, changes: Sequence[Change], /) -> None:
        """One pass over these mailboxes; raises as ``carry_mail`` does."""
        self.carry(changes)
