"""What stands after a write is what was wanted, or it is put back at once, or it is told as standing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from reconciler.engine.desire import Kinds
from reconciler.errors import ReconcilerError, StepFailed
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.codec import told_fields
from reconciler.model.plan import Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.ports import Store
from reconciler.wording.differences import differences


def standing(store: Store[Any], steps: Sequence[Step]) -> dict[Address, Resource]:
    """What stands now at the addresses of the steps, by a fresh reading.

    Raises:
        ObserveError: it cannot be read.

    """
    return {resource.address: resource for resource in store.read({step.change.address.name for step in steps})}


def read_back(store: Store[Any], steps: Sequence[Step], kinds: Kinds) -> list[Resource]:
    """What stands at the addresses of steps that were just written.

    Raises:
        StepFailed: something else than was wanted; says what became of it.
        ObserveError: it cannot be read.

    """
    found = standing(store, steps)
    wrong = [step for step in steps if not kinds.settled(step.change.after, found.get(step.change.address))]
    if wrong:
        change = wrong[0].change
        msg = (
            f"{change.address}: the write was accepted, but reading it back gives {_shown(found.get(change.address))} "
            f"instead of {_shown(change.after)}{_told(change.after, found.get(change.address))}; "
            f"{_undone(store, wrong, found)}"
        )
        raise StepFailed(msg)
    return [resource for step in steps if (resource := found.get(step.change.address))]


def as_found(steps: Iterable[Step], found: Iterable[Resource]) -> list[Step]:
    """The steps with what they have left, as it was read: that, and nothing else at the address, is what we made.

    What a plan cannot know is in it, such as the key that a server has generated. Mail is told from passes.
    """
    stands = {resource.address: resource for resource in found}
    return [
        replace(step, change=Change(step.change.before, left))
        if (left := stands.get(step.change.address)) is not None and left.undoable
        else step
        for step in steps
    ]


def stale(change: Change, found: Resource | None) -> str:
    """Why a step is not done whose ``before`` stands no longer."""
    return (
        f"{change.address} changed since the plan was made: it was {_shown(change.before)} and is {_shown(found)}"
        f"{_told(change.before, found)}; nothing of it was written: plan again and look at the difference"
    )


def _undone(store: Store[Any], wrong: Sequence[Step], found: dict[Address, Resource]) -> str:
    """Put back what stood before those steps, and say whether it stands again."""
    back = [
        Change(stands, step.change.before)
        for step in wrong
        if (stands := found.get(step.change.address)) != step.change.before and step.change.subject.undoable
    ]
    why = ""
    try:
        for start in range(0, len(back), max(store.batch, 1)):
            store.write(back[start : start + max(store.batch, 1)])
        found = standing(store, wrong)
    except ReconcilerError as error:
        why = f" ({error})"
    left = [step.change.address for step in wrong if found.get(step.change.address) != step.change.before]
    if not left:
        return "what stood before stands again; look at the server, then plan again"
    more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
    return f"{left[0]}{more} stands so now and could not be put back{why}: put it right by hand, then plan again"


def _told(wanted: Resource | None, found: Resource | None) -> str:
    """Field by field, where both sides exist."""
    if wanted is None or found is None or isinstance(found, RRset):
        return ""
    return f" ({'; '.join(differences(told_fields(wanted), told_fields(found)))})"


def _shown(resource: Resource | None) -> str:
    if resource is None:
        return "absent"
    if isinstance(resource, RRset):
        return f"[TTL {resource.ttl}: {', '.join(sorted(resource.rdata))}]"
    fields = told_fields(resource)
    text = ", ".join(f"{key}={value!r}" for key, value in sorted(fields.items()) if key != "kind")
    return f"[{text[:300]}]" if text else "present"
