"""Where an IMAP server answers, and how its certificate is judged."""

import functools
import hashlib
import ipaddress
import ssl
import threading
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.mailcopy.model.limits import Limits


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"  # from the first octet on (RFC 8314)
    STARTTLS = "starttls"  # demanded, never tried only
    LOOPBACK = "loopback"  # not at all: for this machine alone


@dataclass(frozen=True, slots=True)
class Server:
    """One IMAP server.

    ``ca_file``: certificates to trust instead of the system's. ``fingerprint``: SHA-256 of the server's certificate
    in hex, trusted instead of any authority, for a server with a certificate of its own making. ``timeout``: seconds
    that one read or write may take.
    """

    host: str
    port: int = 993
    security: Security = Security.TLS
    ca_file: str | None = None
    fingerprint: str | None = None
    timeout: float = 120.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse to send a password in the clear over a network.

        Raises:
            ValueError: LOOPBACK with a host that is not an address of this machine's loopback.

        """
        if self.security is Security.LOOPBACK and not _is_loopback(self.host):
            msg = f"{self.host} is not a loopback address: without TLS the passwords of all users would go in the clear"
            raise ValueError(msg)

    def __str__(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


def tls_context(ca_file: str | None, *, pinned: bool) -> ssl.SSLContext:
    """One context for all connections to a server: loading the authorities takes longer than a login.

    A pinned certificate is compared after the handshake, see ``is_pinned``.
    """
    with _MAKING:  # many mailboxes begin at once, and each would load the authorities for itself
        return _tls_context(ca_file, pinned=pinned)


_MAKING = threading.Lock()


@functools.lru_cache(maxsize=64)
def _tls_context(ca_file: str | None, *, pinned: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if pinned:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def is_pinned(certificate: bytes | None, fingerprint: str) -> bool:
    """Whether the certificate (DER) is the one; colons and case of the fingerprint do not matter."""
    wanted = fingerprint.replace(":", "").strip().lower()
    return certificate is not None and hashlib.sha256(certificate).hexdigest() == wanted


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
