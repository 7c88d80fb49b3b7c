"""The addresses of the domain that a server answers."""

from collections.abc import Iterator

from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource, State
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll

_KINDS = ("mailbox", "alias")


def takes_mail(resource: Resource) -> bool:
    """Whether mail arrives there: an alias or catch-all without targets only lets somebody send."""
    return not isinstance(resource, Alias | CatchAll) or bool(resource.targets)


def answered(state: State, place: Place, domain: str) -> Iterator[Address]:
    """Each mailbox and alias of the domain at a place, in the order of the state."""
    at_domain = f"@{domain}"
    return (
        address
        for address, resource in state.items()
        if address[0] is place and address[1] in _KINDS and address[2].endswith(at_domain) and takes_mail(resource)
    )


def is_answered(state: State, place: Place, name: str) -> bool:
    """Whether a mailbox or alias takes mail for this address there."""
    alias = state.get(Address(place, Alias.kind, name))
    return (place, "mailbox", name) in state or (alias is not None and takes_mail(alias))


def missing_on_new(observed: State, desired: State, domain: str) -> list[str]:
    """The addresses that the old server answers today and the new one would not, each once."""
    missing = (
        address.name
        for address in answered(observed, Place.OLD, domain)
        if not is_answered(desired, Place.NEW, address.name)
    )
    return list(dict.fromkeys(missing))


def catch_all(state: State, place: Place, domain: str) -> CatchAll | None:
    """The domain's catch-all at a place."""
    found = state.get(Address(place, CatchAll.kind, domain))
    return found if isinstance(found, CatchAll) and takes_mail(found) else None
