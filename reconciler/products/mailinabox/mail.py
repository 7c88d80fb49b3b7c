"""What a Mail-in-a-Box says of its users and aliases, in our normal forms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from reconciler.errors import NameInvalid
from reconciler.model.name import mail_address
from reconciler.products.mailinabox.box import Box

T = TypeVar("T")
USERS: Final = "/mail/users?format=json"
ALIASES: Final = "/mail/aliases?format=json"


@dataclass(frozen=True, slots=True)
class User:
    """An account; ``quota`` as the box writes it (``5G``, ``0``), None on a box from before quotas."""

    address: str
    quota: str | None
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Row:
    """An alias or, with an address that begins with @, a catch-all. ``automatic``: the box makes and mends it itself.

    ``senders`` are the users that may send as it, None for those that it delivers to; one that only sends has no
    targets.
    """

    address: str
    targets: frozenset[str]
    senders: tuple[str, ...] | None
    automatic: bool


def users(box: Box) -> dict[str, User]:
    """The accounts of all domains by address; mail that a removed one has left on disk is none.

    Raises:
        ObserveError: the box could not be read.

    """
    found = _read(box, USERS, lambda data: [_user(u) for group in data for u in group["users"] if _is_active(u)])
    return {user.address: user for user in found}


def aliases(box: Box) -> dict[str, Row]:
    """The aliases of all domains by address.

    Raises:
        ObserveError: the box could not be read.

    """
    found = _read(box, ALIASES, lambda data: [_row(a) for group in data for a in group["aliases"]])
    return {row.address: row for row in found}


def _read(box: Box, path: str, parse: Callable[[Any], list[T]]) -> list[T]:
    data = box.json(path)
    try:
        return parse(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise box.unreadable(path, f"a list with something missing ({error})") from error


def _is_active(user: dict[str, Any]) -> bool:
    return bool(user["status"] == "active")


def _user(user: dict[str, Any]) -> User:
    quota = user.get("quota")
    return User(_normal(user["email"]), None if quota is None else str(quota), "admin" in user["privileges"])


def _row(alias: dict[str, Any]) -> Row:
    senders = alias["permitted_senders"]
    return Row(
        _normal(alias["address"]),
        frozenset(_normal(target) for target in alias["forwards_to"] if target),
        None if senders is None else tuple(map(_normal, senders)),
        bool(alias["auto"]),
    )


def _normal(address: str) -> str:
    """Lower case with A-labels (the box shows them in Unicode, and takes none); what is no address stays as it is."""
    try:
        return mail_address(address)
    except NameInvalid:
        return address.lower()


def of_domain(addresses: dict[str, T], domain: str) -> Iterator[tuple[str, T]]:
    """Those whose address is in the domain itself."""
    return ((name, value) for name, value in addresses.items() if name.rpartition("@")[2] == domain)
