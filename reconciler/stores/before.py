"""Compare before you swap: what a change takes for granted must still stand."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from reconciler.errors import StalePlan
from reconciler.model.change import Change
from reconciler.model.resource import Resource

_NOT_SHOWN = {"place", "name", "content", "public", "stored"}


def verify(
    changes: Sequence[Change],
    standing: Mapping[str, Resource],
    where: PurePath | str,
    *,
    unread: Collection[str] = (),
) -> None:
    """Every ``before`` is what stands. ``unread`` are fields that no reading has: they are not compared.

    Raises:
        StalePlan: one is not, or one address is changed twice; names the address, the file and both values.

    """
    seen = set()
    for change in changes:
        name = change.address.name
        found = standing.get(name)
        before = change.before
        if before is not None and unread:
            before = before.model_copy(update={field: type(before).model_fields[field].default for field in unread})
        if found != before:
            raise StalePlan(
                f"{change.address} in {where} is {_shown(found)} and not {_shown(before)}: somebody changed it after "
                "the plan was made. Nothing was written; plan again"
            )
        if name in seen:
            raise StalePlan(f"{change.address} is changed twice in one write to {where}. Nothing was written")
        seen.add(name)


def _shown(resource: Resource | None) -> str:
    if resource is None:
        return "absent"
    fields: dict[str, Any] = resource.model_dump(exclude=_NOT_SHOWN, exclude_none=True)
    told = (f"{field} {_plain(value)}" for field, value in fields.items() if value != frozenset())
    return ", ".join(told) or "present"


def _plain(value: object) -> str:
    return " ".join(sorted(map(str, value))) if isinstance(value, frozenset) else repr(value)
