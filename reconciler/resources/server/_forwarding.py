"""What an alias and a catch-all have in common: our part is where they deliver, and nothing else of them."""

from typing import TypeVar

from reconciler.model.address import Place
from reconciler.model.resource import TextResource


class Forwarding(TextResource):
    """It delivers to every one of ``targets``; without any it takes no mail.

    ``senders`` are accounts that may send as it, where the product keeps that; they are never ours.
    """

    targets: frozenset[str]
    senders: frozenset[str] = frozenset()


F = TypeVar("F", bound=Forwarding)


def over_standing(wanted: F | None, standing: F | None) -> F | None:
    """Our targets on the new server, with whoever may send as it; on the old one what stands stays until its time.

    One that somebody may send as outlives our targets: it goes on without any.
    """
    if wanted is not None and wanted.place is Place.OLD:
        return standing
    if standing is None or standing.place is Place.OLD:
        return wanted
    if wanted is None:
        laid = standing.model_copy(update={"targets": frozenset(), "stored": None})
    else:
        laid = wanted.model_copy(update={"senders": standing.senders})
    if not laid.targets and not laid.senders:
        return None
    return standing if laid == standing else laid
