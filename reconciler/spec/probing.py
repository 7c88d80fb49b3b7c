"""Whom the checks may ask over the network, and with what."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from pydantic import ConfigDict, Field, field_validator, model_validator

from reconciler.model.endpoint import Endpoint
from reconciler.spec.copy import Fingerprint, Host
from reconciler.spec.frozen import Frozen
from reconciler.spec.shorthand import or_one, or_text
from reconciler.spec.types import Domain, MailAddress, Reference, Resolver, Seconds, SmtpServer

PORTS: Final = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993}
"""The services by their registered names; those that end in s begin with TLS, the others turn to it (STARTTLS)."""
_SUBMISSION: Final = ("submission", "submissions")
_IMAP: Final = ("imap", "imaps")


def _host_alone(schema: dict[str, Any]) -> None:
    """In the JSON Schema: port and service follow from one another."""
    schema["required"] = ["host"]
    or_text(r"^\S+:[0-9]{1,5}$")(schema)


class TlsService(Frozen):
    """A service that mail programs talk to: written ``mail.example.org:993`` or as a mapping."""

    model_config = ConfigDict(json_schema_extra=_host_alone)

    host: Host
    """The name that users are given: the certificate must be for it."""
    port: int = Field(ge=1, le=65535)
    """The service's usual one, if silent."""
    service: str = Field(pattern=f"^({'|'.join(PORTS)})$")
    """submissions (465) and imaps (993) begin with TLS; submission (587), imap (143) and smtp (25) turn to it
    (STARTTLS). The one whose port it is, if silent."""
    address: IPv4Address | IPv6Address | None = None
    """Where to connect while the name still leads to the old server; wherever the name leads, if silent."""
    ca_file: str | None = None
    """A file of certificates (PEM) to trust instead of the system's, its path relative to the spec."""
    fingerprint: Fingerprint | None = None
    """SHA-256 of the server's own certificate, trusted whoever has signed it and for whatever name."""

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, value: object) -> object:
        if isinstance(value, str):
            if not re.search(r":[0-9]+\s*$", value):
                msg = f"{value!r} names no port: expected HOST:PORT, as in 'mail.example.org:993'"
                raise ValueError(msg)
            found = Endpoint.parse(value, PORTS["imaps"])
            value = {"host": found.host, "port": found.port}
        return _with_port_and_service(value) if isinstance(value, dict) else value

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS comes before everything else (RFC 8314, section 3)."""
        return self.service in {"submissions", "imaps"}

    @property
    def speaks_imap(self) -> bool:
        """Whether it is IMAP, not SMTP."""
        return self.service in _IMAP

    def __str__(self) -> str:
        """Host and port."""
        return str(Endpoint(self.host, self.port))


class SignedMessage(Frozen):
    """A message that a mailbox of the new server writes to itself, to see the signature that the world will see."""

    mailbox: MailAddress
    """One of the spec's, best one of its own that nobody reads: a message a day stays in it."""
    login: str | None = Field(default=None, min_length=1)
    """The login name, if it is not the address."""
    password: Reference
    """Reference to the mailbox's password on the new server."""
    submission: TlsService
    """Where the new server takes its users' mail: HOST:587 or HOST:465."""
    imap: TlsService
    """Where they read it: HOST:993 or HOST:143."""
    patience: Seconds = Field(default=60, ge=1, le=600)
    """How long the message may be under way."""

    @field_validator("submission", "imap")
    @classmethod
    def _fitting(cls, value: TlsService, info: Any) -> TlsService:
        fitting = _SUBMISSION if info.field_name == "submission" else _IMAP
        if value.service not in fitting:
            msg = f"{value} is {value.service}: here stands {fitting[0]} or {fitting[1]}"
            raise ValueError(msg)
        return value


class Probing(Frozen):
    """Whom the checks may ask over the network beside the servers and the zone; without it nobody is contacted."""

    smtp: tuple[SmtpServer, ...] = Field(default=(), json_schema_extra=or_one)
    """Where the new server takes mail, HOST or HOST:PORT (25): asked which recipients it takes; it is sent no mail."""
    tls: tuple[TlsService, ...] = Field(default=(), json_schema_extra=or_one)
    """Where users will send and read their mail, HOST:PORT: asked for the certificate that they will be shown."""
    signed: SignedMessage | None = None
    """How the new server is made to sign a message: the one thing in this section that sends mail, to itself."""
    resolver: Resolver | None = None
    """A recursive name server, ADDRESS or ADDRESS:PORT (53): asked, with the name servers that it leads to, for what
    the world sees of the zone, of the new server's addresses, and of what an SPF record includes."""
    helo: Domain | None = None
    """This machine's name in EHLO, where its address will not do (RFC 5321, section 4.1.1.1)."""
    timeout: Seconds = Field(default=10, ge=1, le=300)
    """How long to wait for each answer."""

    @field_validator("smtp", "tls", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str | dict) else value


def _with_port_and_service(value: dict[str, Any]) -> dict[str, Any]:
    """Each from the other, where one is silent."""
    port, service = value.get("port"), value.get("service")
    if port is None and service in PORTS:
        return {**value, "port": PORTS[service]}
    known = {number: name for name, number in PORTS.items()}
    if service is None and port in known:
        return {**value, "service": known[port]}
    if service is None:
        which = "no port" if port is None else f"port {port}, at which many things listen"
        msg = f"which service is it? {which}: write 'service:' with one of {', '.join(PORTS)}"
        raise ValueError(msg)
    return value
