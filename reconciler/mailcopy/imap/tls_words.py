"""What to do about a connection that is not protected as the spec asks: such trouble does not pass by itself."""

import re
import ssl
from typing import Final

from imapclient.exceptions import CapabilityError

from reconciler.mailcopy.imap.server import Security

_OLD: Final = re.compile(r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|WRONG_SSL_VERSION|VERSION_TOO_LOW")
_NO_TLS: Final = re.compile(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE")
_SIGN: Final = re.compile(
    r"NO_CIPHERS|NO_SHARED_CIPHER|HANDSHAKE_FAILURE|DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL|CA_MD_TOO_WEAK"
)


def advice(error: Exception, security: Security) -> str:
    """What is wrong and what to write instead; empty where it may be well the next time.

    Source: RFC 8996 (TLS 1.0 and 1.1 are not to be used), RFC 8314, section 3 (ports and ways).
    """
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        if _OLD.search(reason):
            return (
                "it speaks TLS 1.1 or older only, which anybody on the way can break (RFC 8996): update it, or run a "
                "tunnel to it (stunnel, ssh -L) and name the tunnel's loopback address with tls: none"
            )
        if _NO_TLS.search(reason):
            where = "after STARTTLS" if security is Security.STARTTLS else "on this port"
            return f"it does not speak TLS {where}: write tls: starttls and its port (mostly 143), or another port"
        if _SIGN.search(reason):
            return "it has no cipher or key that is safe today: update it, or give it a new certificate"
    if isinstance(error, CapabilityError) and security is Security.STARTTLS:
        return "it offers no STARTTLS on this port: write tls: implicit and its port for that (mostly 993)"
    return ""


def silent(error: Exception, security: Security) -> str:
    """What a server that says nothing may be waiting for."""
    if isinstance(error, TimeoutError) and security is not Security.TLS:
        return "; it says nothing: does this port want TLS from the first octet on (tls: implicit)?"
    return ""
