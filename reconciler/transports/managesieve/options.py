"""How Sieve scripts are reached over ManageSieve: part of the options of products whose files stay alone."""

import ipaddress
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from reconciler.formats.templates import checked_template
from reconciler.model.secret import is_reference
from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Reference

Template = Annotated[str, AfterValidator(checked_template)]


class ManageSieve(Frozen):
    """A ManageSieve server (RFC 5804), entered by a master user or by each user's own password.

    In templates `%u` is the mailbox's address, `%n` its local part, `%d` its domain.
    """

    host: str = Field(min_length=1)
    """Its name or address."""
    port: int = Field(default=4190, ge=1, le=65535)
    """Where it listens."""
    starttls: bool = True
    """Encrypt, always; `false` is for a server on the loopback of this machine."""
    tls_name: str | None = None
    """The name in its certificate, where `host` is an address or another name."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's."""
    fingerprint: str | None = Field(default=None, pattern=r"^(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")
    """SHA-256 of its certificate, for one that no authority has signed: `openssl x509 -noout -fingerprint -sha256`."""
    user: Template = "%u"
    """The login name of a mailbox."""
    master_user: str | None = None
    """An administrator who may enter every mailbox."""
    master_password: Reference | None = None
    """Where the administrator's password is."""
    master_separator: str = "*"
    """What stands between the two names of `user*master` (auth_master_user_separator); empty: PLAIN carries both."""
    password: Template | None = None
    """Without an administrator: where each user's own password is, such as `file:passwords/%u`."""
    parallel: int = Field(default=8, ge=1, le=64)
    """How many mailboxes are entered at the same time."""
    timeout: float = Field(default=30, gt=0)
    """Seconds that the server may be silent."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.master_user is None) != (self.master_password is None):
            msg = "master_user and master_password belong together"
            raise ValueError(msg)
        if (self.master_user is None) == (self.password is None):
            msg = "say either master_user with master_password, or password: there must be one way into a mailbox"
            raise ValueError(msg)
        if self.password is not None and not is_reference(self.password):
            msg = "password is a reference, such as file:passwords/%u; the password itself does not belong into a spec"
            raise ValueError(msg)
        if not self.starttls and not _is_loopback(self.host):
            msg = f"{self.host} is not on this machine: without TLS the passwords would go over a network in the clear"
            raise ValueError(msg)
        return self

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
