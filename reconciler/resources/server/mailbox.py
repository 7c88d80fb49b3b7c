"""Mailboxes: accounts that receive, keep and read mail."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.resource import TextResource
from reconciler.model.stage import Stage
from reconciler.spec.mailbox import Mailbox as MailboxSpec
from reconciler.spec.spec import Spec


class Mailbox(TextResource):
    """One account; ``name`` is its whole address.

    ``password`` is where a new account's password comes from: ``keep:ADDRESS`` (the old server's hash),
    ``generate:ADDRESS`` or a secret reference. A reading never has one, and an account that exists keeps its own: its
    user may have changed it since. ``stored`` is the display name again where the file has it in ISO 8859-1.
    """

    kind: ClassVar[str] = "mailbox"
    after: ClassVar[tuple[str, ...]] = ("domain",)
    for_making: ClassVar[frozenset[str]] = frozenset({"password"})
    display_name: str = ""
    password: str | None = None

    def needs(self) -> Iterable[Address]:
        """The domain, on the same server."""
        return (Address(self.place, "domain", self.name.rpartition("@")[2]),)


def desired(spec: Spec, stage: Stage) -> Iterator[Mailbox]:
    """On the new server always; on the old one until decommission, if the spec asks to empty it."""
    for mailbox in spec.mailboxes:
        yield Mailbox(
            place=Place.NEW, name=mailbox.address, display_name=mailbox.name, password=password_source(mailbox)
        )
    if spec.decommission.empty_old and stage < Stage.DECOMMISSION:
        for mailbox in spec.mailboxes:
            yield Mailbox(place=Place.OLD, name=mailbox.address)


def password_source(mailbox: MailboxSpec) -> str:
    """The reference that the backend reveals when it makes the account."""
    return f"{mailbox.password}:{mailbox.address}" if mailbox.password in {"keep", "generate"} else mailbox.password


def merge(wanted: Mailbox | None, standing: Mailbox | None) -> Mailbox | None:
    """An existing account keeps its password, and its display name where the spec has none.

    On the old server nothing is ever made, only kept until its time.
    """
    if wanted is None:
        return None
    if standing is None:
        return wanted if wanted.place is Place.NEW else None
    if wanted.place is Place.OLD or wanted.display_name in {"", standing.display_name}:
        return standing
    return standing.model_copy(update={"display_name": wanted.display_name, "stored": wanted.stored})


KIND = ServerKind(
    Mailbox, desired, merge=merge, source="RFC 5321, section 2.3.11", changes_at=frozenset({Stage.DECOMMISSION})
)
