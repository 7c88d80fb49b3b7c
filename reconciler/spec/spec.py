"""The spec as the user writes it: one mail domain, its two servers, and what must be true."""

import re
from datetime import date, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from reconciler.model.address import Address
from reconciler.model.stage import Stage
from reconciler.spec.copy import MailCopy
from reconciler.spec.frozen import Frozen as Frozen  # noqa: PLC0414 - backends take it from here for their options
from reconciler.spec.probing import Probing
from reconciler.spec.shorthand import or_one, or_text
from reconciler.spec.types import (
    Bytes,
    Domain,
    Duration,
    MailAddress,
    Password,
    Reference,
    Seconds,
    Selector,
    Sender,
    SpfPolicy,
    StageName,
    Targets,
)


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


class Ttl(Frozen):
    """How long caches keep what the cutover touches, in seconds or as 5m, 1h, 1d."""

    during: Seconds = Field(default=300, ge=1, le=86400)
    """From overlap until harden."""
    after: Seconds | None = Field(default=None, ge=1, le=604800)
    """From harden on; what stood before the move, if silent."""


class SpfPolicies(Frozen):
    """What the domain says of senders that are not authorised (RFC 7208, section 5.1)."""

    relaxed: SpfPolicy = "~all"
    """While both servers send."""
    final: SpfPolicy = "-all"
    """From harden on."""


class Dmarc(Frozen):
    """The policy from harden on (RFC 9989); what stands in other tags is kept."""

    p: str = Field(pattern="^(none|quarantine|reject)$")
    """What to do with mail that fails."""
    sp: str | None = Field(default=None, pattern="^(none|quarantine|reject)$")
    """The same for subdomains."""
    np: str | None = Field(default=None, pattern="^(none|quarantine|reject)$")
    """The same for subdomains that do not exist."""
    t: str | None = Field(default=None, pattern="^[yn]$")
    """y: a test, receivers apply the next milder policy."""
    adkim: str | None = Field(default=None, pattern="^[rs]$")
    """Alignment of DKIM: r relaxed, s strict."""
    aspf: str | None = Field(default=None, pattern="^[rs]$")
    """Alignment of SPF: r relaxed, s strict."""
    fo: str | None = Field(default=None, pattern="^[01ds](:[01ds])*$")
    """When to send failure reports."""
    rua: tuple[str, ...] = ()
    """Where aggregate reports go: mailto:ADDRESS."""
    ruf: tuple[str, ...] = ()
    """Where failure reports go: mailto:ADDRESS."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_removed_tags(cls, value: object) -> object:
        if isinstance(value, dict):
            for tag in ("pct", "rf", "ri"):
                if tag in value:
                    msg = (
                        f"{tag} is no DMARC tag any more: RFC 9989 removed it, and receivers ignore it; "
                        "to try a policy without enforcing it write t: y"
                    )
                    raise ValueError(msg)
        return value

    @field_validator("rua", "ruf")
    @classmethod
    def _mailto(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for uri in value:
            if not uri.startswith("mailto:") or any(c in uri for c in ',;! "\\') or not uri.isascii():
                msg = f"{uri!r} is not a report address: expected mailto:ADDRESS"
                raise ValueError(msg)
        return value


class Waits(Frozen):
    """Times and thresholds."""

    decommission: Duration = timedelta(days=7)
    """From cutover until the old server may be emptied."""
    quiet: Duration = timedelta(days=3)
    """How long nothing new must have arrived on the old server before harden."""
    copy_fresh: Duration = timedelta(hours=24)
    """How old the last verified copy of the mail may be at cutover."""
    margin: Duration = timedelta(seconds=0)
    """Added to every TTL that is waited for, for caches whose clocks are slow."""


class Confirmations(Frozen):
    """What only a person can know; each line is reviewed with the spec."""

    released_by_old_provider: bool = False
    """The old provider no longer takes the domain for its own."""
    copied_back: bool = False
    """Going back after the cutover: the mail that arrived on the new server was copied to the old one."""
    decommission: bool = False
    """Yes, retire the old server: the one step that cannot be undone."""


class Decommission(Frozen):
    """What happens to the old server at the very end."""

    empty_old: bool = False
    """Remove the domain's accounts and aliases there (the stored mail stays on disk)."""


class Mailbox(Frozen):
    """One account."""

    address: MailAddress
    name: str = ""
    """The display name."""
    quota: Bytes | None = Field(default=None, ge=0)
    """In bytes or as "5 GiB"; 0 is unlimited; what stands there, if silent."""
    password: Password = "keep"  # noqa: S105 - the word of the spec, not a password
    """keep: carry the old hash; generate; or a secret reference (env:, file:, command:)."""
    forward_to: MailAddress | None = None
    """The old account, by a name that does not come back to the new server."""
    moved: bool | date = False
    """Whether (or from which day on) the user reads on the new server."""
    old_login: str | None = None
    """The login name on the old server, if it is not the address."""
    old_password: Reference | None = None
    """Reference to the password there, for copying mail."""
    old_mail: bool = True
    """false: the account is new, so that the old server has no mail of it to copy."""

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if any(not c.isprintable() for c in value):
            msg = f"the display name {value!r} has control characters"
            raise ValueError(msg)
        return value

    def has_moved(self, today: date) -> bool:
        """Whether the forward to the old server has ended on that day."""
        return self.moved if isinstance(self.moved, bool) else self.moved <= today


class Spec(Frozen):
    """A mail domain, its two servers, its zone, and the stage it may reach."""

    domain: Domain
    stage: StageName = "prepare"
    """The furthest stage that apply may reach: prepare, overlap, cutover, harden, decommission."""
    old: OldServer
    new: NewServer
    dns: Dns
    hosts: dict[Domain, HostAddresses] = Field(default={})
    """Host names that stay and change their addresses at the cutover."""
    senders: tuple[Sender, ...] = ()
    """SPF mechanisms of third parties that keep sending in every stage."""
    ttl: Ttl = Ttl()
    spf: SpfPolicies = SpfPolicies()
    dmarc: Dmarc | None = None
    """The final DMARC policy; what stands in the zone is left alone, if silent."""
    waits: Waits = Waits()
    confirm: Confirmations = Confirmations()
    decommission: Decommission = Decommission()
    probe: Probing | None = None
    """What is asked from outside before the cutover; nothing, if silent."""
    journal: str | None = None
    """A database URL (SQLAlchemy); a SQLite file beside the spec, if silent."""
    mail_copy: MailCopy | None = Field(default=None, alias="copy")
    """How the stored mail is copied, by IMAP or by files (`reconciler copy`); by other means, if silent."""
    generated_passwords: str | None = None
    """The file, readable by its owner only, that gets the passwords of ``password: generate``."""
    done_by_hand: tuple[str, ...] = ()
    """Addresses of steps that a person has carried out where nothing can observe it."""
    mailboxes: tuple[Mailbox, ...] = ()
    mailboxes_from: str | None = None
    """A CSV file of further mailboxes, its path relative to the spec."""
    aliases: dict[MailAddress, Targets] = Field(default={})
    """Address to destinations, one or many, inside or outside of the domain."""
    catch_all: MailAddress | None = None
    """Where mail for every other address of the domain goes."""

    @field_validator("done_by_hand")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                Address.parse(text)
            except ValueError as error:
                msg = f"{text!r} is not the address of a step, such as new/alias/info@example.org"
                raise ValueError(msg) from error
        return value

    @property
    def target(self) -> Stage:
        """``stage`` as a value."""
        return Stage.of(self.stage)

    @property
    def with_old_mail(self) -> tuple[Mailbox, ...]:
        """The mailboxes whose mail follows them from server to server."""
        return tuple(mailbox for mailbox in self.mailboxes if mailbox.old_mail)

    @property
    def owner(self) -> str:
        """The domain as an owner name, with its final dot."""
        return f"{self.domain}."

    def on(self, today: date) -> Self:
        """The spec with every dated ``moved`` settled for that day: what the pure functions work on."""
        settled = tuple(
            m if isinstance(m.moved, bool) else m.model_copy(update={"moved": m.has_moved(today)})
            for m in self.mailboxes
        )
        return self.model_copy(update={"mailboxes": settled})
