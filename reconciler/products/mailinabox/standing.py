"""What a Mail-in-a-Box has by itself: the domain of any address that it knows, and one DKIM key for all domains."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.dkim import KeyRecord
from reconciler.products.mailinabox.box import Box
from reconciler.resources.server.dkim_key import DkimKey, key_name
from reconciler.resources.server.domain import MailDomain

SELECTOR: Final = "mail"
_DOMAINS: Final = "/mail/domains"
_WISHES: Final = "/dns/dump"
_CUSTOM: Final = "/dns/custom"


class DomainOfAddresses:
    """The domain: a box takes mail for it as soon as it has a mailbox or an alias of it, and needs no telling before.

    On the new server it is therefore always there; on the old one while there is an address.
    """

    batch = 1

    def __init__(self, context: Context, box: Box) -> None:
        """Read nothing yet."""
        self._context = context
        self._box = box

    def read(self, names: Collection[str] | None = None) -> Iterator[MailDomain]:  # noqa: ARG002 - one at most
        """The domain."""
        known = self._box.text(_DOMAINS).split()
        if self._context.place is Place.NEW or self._context.domain in known:
            yield MailDomain(place=self._context.place, name=self._context.domain)

    def write(self, changes: Sequence[Change], /) -> None:
        """Refuse.

        Raises:
            WriteError: always; says how a domain comes and goes.

        """
        raise WriteError(
            f"{changes[0].address} cannot be written: {self._box.where} has a domain exactly as long as it has a "
            "mailbox or an alias of it"
        )


class DkimKeyOfBox:
    """The one key that a box signs the mail of every domain with; its selector is ``mail``."""

    batch = 1

    def __init__(self, context: Context, box: Box) -> None:
        """Read nothing yet."""
        self._context = context
        self._box = box

    def read(self, names: Collection[str] | None = None) -> Iterator[DkimKey]:  # noqa: ARG002 - one at most
        """From the record that the box publishes, for whatever domain nobody has put another one in its place."""
        public = self._public()
        if public:
            name = key_name(SELECTOR, self._context.domain)
            yield DkimKey(place=self._context.place, name=name, public=public)

    def write(self, changes: Sequence[Change], /) -> None:
        """Refuse.

        Raises:
            WriteError: always; says what key there is.

        """
        raise WriteError(
            f"{changes[0].address} cannot be written: {self._box.where} signs with one key of its own, selector "
            f"{SELECTOR}, and takes no other; write `dkim: [{SELECTOR}]` for it in the spec"
        )

    def _public(self) -> str | None:
        try:
            custom = {(record["qname"], record["rtype"]) for record in self._box.json(_CUSTOM)}
            texts = {
                record["value"]
                for _, records in self._box.json(_WISHES)
                for record in records
                if _is_key(record) and (record["qname"], record["rtype"]) not in custom
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._box.unreadable(_WISHES, f"a list with something missing ({error})") from error
        keys = {key for text in texts if (key := _key(text))}
        if len(keys) > 1:
            raise self._box.unreadable(_WISHES, f"{len(keys)} different keys for the selector {SELECTOR}")
        return next(iter(keys), None)


def _is_key(record: dict[str, Any]) -> bool:
    return bool(record["rtype"] == "TXT" and record["qname"].startswith(f"{SELECTOR}._domainkey."))


def _key(text: str) -> str | None:
    try:
        return KeyRecord.parse(text).public or None
    except ValueError:
        return None
