"""How a Mail-in-a-Box is reached: part of the options of its mail and of its zones."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Domain, MailAddress, Reference
from reconciler.transports.http import Site
from reconciler.transports.http_tls import Fingerprint

_ADMIN: Final = "/admin"  # where its web server passes on to the management daemon


class BoxOptions(Frozen):
    """A box and one of its administrators."""

    host: Domain | None = None
    """The box's own name, PRIMARY_HOSTNAME; its API is then at https://HOST/admin."""
    url: str | None = None
    """The whole URL of the API, where it is another: https://box.example:8443/admin or, on the box itself,
    http://127.0.0.1:10222."""
    address: IPv4Address | IPv6Address | None = None
    """Connect to this address while the certificate is verified for the name: before the DNS knows the box."""
    fingerprint: Fingerprint | None = None
    """The SHA-256 fingerprint of the box's certificate, while that is self-signed; setup shows it on the box."""
    email: MailAddress | None = None
    """The administrator's address."""
    password: Reference | None = None
    """Reference to the administrator's password."""
    totp: Reference | None = None
    """Reference to the secret (base32) of the administrator's two-factor authentication, if it is on."""
    api_key: Reference | None = None
    """Instead of a password, reference to a session key of `email` or, without `email`, to the box's system key."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        value = value.rstrip("/")
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError as error:
            msg = "the URL of the API cannot be read: expected https://box.example/admin"
            raise ValueError(msg) from error
        if parts.username is not None or parts.password is not None:
            msg = "there is a user or a password in the URL, which logs show: use email, and password with a reference"
            raise ValueError(msg)
        if parts.query or parts.fragment or not parts.hostname or port == 0:
            msg = f"{value!r} is not the URL of an API: expected https://box.example/admin"
            raise ValueError(msg)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
            msg = f"{value!r} would send the password in the clear: expected https://; http:// only to 127.0.0.1"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.host is None) == (self.url is None):
            msg = "give host (the box's own name) or url, one of them"
            raise ValueError(msg)
        if (self.password is None) == (self.api_key is None):
            msg = "give password or api_key, one of them, as a reference: env:NAME, file:PATH or command: PROGRAM …"
            raise ValueError(msg)
        if self.password and not self.email:
            msg = "whose password is it? give email, the administrator's address"
            raise ValueError(msg)
        if self.totp and not self.password:
            msg = "totp goes with a password; a key needs none"
            raise ValueError(msg)
        return self

    @property
    def site(self) -> Site:
        """Where the API is."""
        url = self.url or f"https://{self.host}{_ADMIN}"
        return Site(url, str(self.address) if self.address else None, self.fingerprint)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
