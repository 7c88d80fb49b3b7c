"""A place that is a dict: the reference that every other backend is held to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from reconciler.errors import StalePlan
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset


class MemoryStore:
    """A Store that keeps what it is given.

    As on a real server, what only counts at the making of a resource does not come back: ``forgets`` maps the names
    of such fields to what a reading shows.
    """

    def __init__(self, *resources: Resource, batch: int = 1, forgets: Mapping[str, Any] | None = None) -> None:
        """Start with what exists."""
        self.batch = batch
        self._forgets = dict(forgets or {})
        self._items: dict[Address, Resource] = {r.address: r for r in resources}

    def read(self, names: Collection[str] | None = None) -> Iterable[Any]:  # noqa: ARG002 - everything is at hand
        """Everything, in normal form."""
        return list(self._items.values())

    def write(self, changes: Sequence[Change], /) -> None:
        """All of the changes or, where one is stale, none."""
        for change in changes:
            found = self._items.get(change.address)
            if found != change.before:
                msg = f"{change.address} is {found!r} and not {change.before!r}"
                raise StalePlan(msg)
        for change in changes:
            if change.after is None:
                del self._items[change.address]
            else:
                self._items[change.address] = change.after.model_copy(update=self._forgotten(change.after))

    def _forgotten(self, resource: Resource) -> dict[str, Any]:
        return {field: value for field, value in self._forgets.items() if field in type(resource).model_fields}


class MemoryNameServers:
    """Name servers that all serve what a store holds, at once."""

    def __init__(self, store: MemoryStore, *names: str) -> None:
        """Serve from the store."""
        self._store = store
        self._names = names or ("memory",)

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """The store's content, the same for each server."""
        held = {r.name: r for r in self._store.read() if isinstance(r, RRset)}
        return {server: {name: held.get(name) for name in names} for server in self._names}
