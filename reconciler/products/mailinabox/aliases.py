"""Aliases and the catch-all of a Mail-in-a-Box."""

from collections.abc import Collection, Iterator, Sequence

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.model.change import Change
from reconciler.products.mailinabox.box import Box
from reconciler.products.mailinabox.change import carry_out
from reconciler.products.mailinabox.mail import Row, aliases, of_domain
from reconciler.products.mailinabox.names import is_automatic
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.stores.before import verify

Forwarding = Alias | CatchAll


class ForwardingStore:
    """Aliases of one domain, or its catch-all. Who may send as one is read, and sent along as it stands."""

    batch = 1

    def __init__(self, context: Context, box: Box, kind: type[Forwarding]) -> None:
        """Read nothing yet."""
        self._context = context
        self._box = box
        self._kind = kind

    def read(self, names: Collection[str] | None = None) -> Iterator[Forwarding]:
        """Those that deliver somewhere or that somebody may send as; the ones that the box makes itself among them."""
        return (found for found in self._found(aliases(self._box)) if names is None or found.name in names)

    def write(self, changes: Sequence[Change], /) -> None:
        """Set or remove an alias."""
        for change in changes:
            self._write(change)

    def _write(self, change: Change) -> None:
        rows = aliases(self._box)
        verify([change], {found.name: found for found in self._found(rows)}, self._box.where)
        row = rows.get(self._address(change.address.name))
        why = why_not(change) or _why_stays(change, row)
        if why:
            raise WriteError(f"{change.address} was not written to {self._box.where}: {why}")
        carry_out(
            self._box,
            change,
            lambda: self._call(change, row),
            lambda: next(iter(self.read({change.address.name})), None),
        )

    def _call(self, change: Change, row: Row | None) -> None:
        """Who may send as it is sent along: what an update leaves out, the box clears."""
        address = self._address(change.address.name)
        if isinstance(change.after, Alias | CatchAll):
            targets = ",".join(sorted(change.after.targets))
            stand = row.senders if row and row.senders else ()
            names = stand if set(stand) == change.after.senders else sorted(change.after.senders)
            senders = {"permitted_senders": ",".join(names)} if names else {}
            self._box.post("/mail/aliases/add", address=address, forwards_to=targets, update_if_exists="1", **senders)
        else:
            self._box.post("/mail/aliases/remove", address=address)

    def _address(self, name: str) -> str:
        return f"@{name}" if self._kind is CatchAll else name

    def _found(self, rows: dict[str, Row]) -> Iterator[Forwarding]:
        for name, row in of_domain(rows, self._context.domain):
            senders = frozenset(row.senders or ())
            if (row.targets or senders) and name.startswith("@") == (self._kind is CatchAll):
                name = name.removeprefix("@")  # noqa: PLW2901 - the catch-all is known by its domain
                yield self._kind(place=self._context.place, name=name, targets=row.targets, senders=senders)


def why_not(change: Change) -> str | None:
    """Why an alias cannot be set, as far as its name says; None if it can be tried."""
    if isinstance(change.subject, Alias) and is_automatic(change.subject.name):
        local = change.subject.name.rpartition("@")[0]
        return (
            f"the box makes {change.subject.name} itself and delivers it to its administrators "
            "(administrator@ of its own name), because certificates are given out to whoever reads it; its list would "
            f"not show another. Take {local} out of `aliases`, and see that the administrators are the right ones"
        )
    return None


def _why_stays(change: Change, row: Row | None) -> str | None:
    if change.after is None and row and row.automatic:
        return "the box makes it itself, and would make it again"
    return None
