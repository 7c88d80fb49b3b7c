"""One-time codes from the clock (RFC 6238, as authenticator apps make them: SHA-1, 30 seconds, 6 digits)."""

import base64
import binascii
import hmac
from datetime import datetime
from typing import Final

from reconciler.model.secret import Secret

STEP: Final = 30  # seconds
_DIGITS: Final = 6


def code(secret: Secret, at: datetime) -> str:
    """The code of a moment.

    Raises:
        ValueError: the secret is not base32; the message does not repeat it.

    """
    text = secret.reveal().replace(" ", "").replace("-", "").upper().rstrip("=")
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        key = b""
    if not key:
        msg = "it is not the base32 text that is shown beside the QR code"
        raise ValueError(msg) from None
    counter = int(at.timestamp()) // STEP
    digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def until_next(at: datetime) -> float:
    """Seconds until another code is valid."""
    return STEP - at.timestamp() % STEP
