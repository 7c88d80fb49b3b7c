"""The sections of the two servers, the zone's keeper, and host names that stay."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.shorthand import or_one, or_text
from reconciler.spec.types import Domain, Reference, Selector, Sender


class Exchange(Frozen):
    """One MX: written ``10 mail.example.org`` or as a mapping (RFC 5321, section 5)."""

    model_config = ConfigDict(json_schema_extra=or_text(r"^[0-9]{1,5} +\S+$"))

    preference: int = Field(ge=0, le=65535)
    exchange: Domain

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        preference, _, exchange = value.strip().partition(" ")
        if not re.fullmatch("[0-9]{1,5}", preference) or not exchange:
            msg = f"{value!r} is not an MX: expected PREFERENCE EXCHANGE, as in '10 mail.example.org'"
            raise ValueError(msg)
        return {"preference": int(preference), "exchange": exchange.strip()}

    def __str__(self) -> str:
        """The rdata in normal form."""
        return f"{self.preference} {self.exchange}."


class DkimKey(Frozen):
    """A DKIM key of the new server; a bare selector means that the server makes the key."""

    model_config = ConfigDict(json_schema_extra=or_text(r"^\S+$"))

    selector: Selector
    key: Reference | None = None
    """A reference to a PEM private key to import; without it the server generates one."""
    bits: int = Field(default=2048, ge=1024, le=4096)
    """RSA modulus of a generated key (RFC 8301: at least 1024, 2048 recommended)."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"selector": value} if isinstance(value, str) else value


class Server(Frozen):
    """One mail server."""

    backend: str
    """The server product: `reconciler schema --backends` lists them."""
    options: dict[str, Any] = Field(default={})
    """What the product needs to know; each backend documents its own."""
    mx: tuple[Exchange, ...] = Field(min_length=1, json_schema_extra=or_one)
    """Where mail for the domain is delivered while this server receives."""
    senders: tuple[Sender, ...] = ()
    """SPF mechanisms that authorise this server."""

    @field_validator("mx", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str | dict) else value


class OldServer(Server):
    """The server that the domain leaves."""

    dkim: tuple[Selector, ...] = ()
    """The selectors that it signs with: kept until decommission, then retired."""


class NewServer(Server):
    """The server that the domain moves to."""

    dkim: tuple[DkimKey, ...] = ()
    """The keys that it signs with: published from overlap on."""


class Dns(Frozen):
    """Who keeps the zone."""

    backend: str
    """The DNS product."""
    options: dict[str, Any] = Field(default={})
    """What the product needs to know; each backend documents its own."""


class HostAddresses(Frozen):
    """A host name that stays, and the addresses it has before and after the cutover."""

    old: tuple[IPv4Address | IPv6Address, ...] = Field(min_length=1)
    new: tuple[IPv4Address | IPv6Address, ...] = Field(min_length=1)
