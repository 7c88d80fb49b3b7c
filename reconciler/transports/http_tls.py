"""TLS to web APIs: certificates verified by the system's authorities, or one certificate known by its fingerprint."""

import hashlib
import re
import socket
import ssl
from typing import Annotated, Final

from pydantic import AfterValidator

_PATIENCE: Final = 10.0  # seconds, to fetch a certificate that is only to be shown
_HEX: Final = re.compile(
    r"(?:sha-?256(?:\s+fingerprint)?\s*[:=]\s*)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})\Z", re.IGNORECASE
)


def _normal(text: str) -> str:
    found = _HEX.match(text.strip())
    if found is None:
        msg = (
            f"{text!r} is not the SHA-256 fingerprint of a certificate: expected 64 hex digits, with or without colons"
        )
        raise ValueError(msg)
    return found[1].replace(":", "").lower()


Fingerprint = Annotated[str, AfterValidator(_normal)]
"""SHA-256 of a certificate (DER) in lower-case hex; options may write it as openssl and browsers show it."""


def context(fingerprint: str | None) -> ssl.SSLContext:
    """For connections to a server whose certificate fits its name or, with a fingerprint, is that certificate.

    A pinned certificate is compared before anything is sent; who signed it, for which name and until when does not
    matter then. Else the system's authorities count, or those of the file that ``SSL_CERT_FILE`` names.
    """
    made = ssl.create_default_context()
    if fingerprint:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        made.sslsocket_class = _pinned(fingerprint)
    return made


def shown(fingerprint: str) -> str:
    """As openssl and browsers show it."""
    pairs = (fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2))
    return ":".join(pairs).upper()


def presented(host: str, port: int, name: str) -> str | None:
    """The fingerprint of the certificate that a server shows for a name; None if it shows none.

    Nothing but the handshake is sent, so that it may be asked of a server that is not trusted.
    """
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_PATIENCE) as plain,
            anybody.wrap_socket(plain, server_hostname=name) as secured,
        ):
            return _fingerprint(secured)
    except OSError:
        return None


def _fingerprint(connection: ssl.SSLSocket) -> str:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()


def _pinned(fingerprint: str) -> type[ssl.SSLSocket]:
    class PinnedSocket(ssl.SSLSocket):
        """Ends the handshake where the other side is somebody else."""

        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            found = _fingerprint(self)
            if found != fingerprint:
                msg = f"the certificate is another one: its fingerprint is {shown(found)}"
                raise ssl.SSLCertVerificationError(msg)

    return PinnedSocket
