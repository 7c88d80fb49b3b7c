"""Modified UTF-7, the encoding of folder names (RFC 3501, section 5.1.3).

Printable ASCII stands for itself, ``&`` is written ``&-``, everything else is UTF-16BE in a BASE64 whose ``/`` is a
comma, between ``&`` and ``-``.
"""

import binascii
import re

_SHIFTED = re.compile(rb"&([^-]*)-")
_OTHER = re.compile(r"[^\x20-\x7e]+|&")


def encode(name: str) -> bytes:
    """The name as it goes over the wire: printable ASCII only."""
    return _OTHER.sub(_shift, name).encode("ascii")


def decode(name: bytes) -> str:
    """The name as people read it.

    Raises:
        ValueError: it is not modified UTF-7, so encoding it again would name another folder.

    """
    try:
        text = _SHIFTED.sub(_unshift, name).decode("utf-8")
    except (UnicodeError, binascii.Error) as error:
        msg = f"the folder name {name!r} is not modified UTF-7 (RFC 3501, section 5.1.3): {error}"
        raise ValueError(msg) from error
    if encode(text) != name:
        msg = f"the folder name {name!r} is not in the one spelling that modified UTF-7 allows"
        raise ValueError(msg)
    return text


def readable(name: bytes) -> str:
    """Any name as people read it: servers show names in UTF-8 or Latin-1, or with a bare ``&``, and open them as well.

    Two names may read alike; the name on the wire alone tells which is which.
    """
    for read in (decode, lambda raw: raw.decode("utf-8")):
        try:
            return read(name)
        except ValueError:
            continue
    return name.decode("latin-1")


def _shift(match: re.Match[str]) -> str:
    run = match[0]
    if run == "&":
        return "&-"
    encoded = binascii.b2a_base64(run.encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{encoded.decode('ascii')}-"


def _unshift(match: re.Match[bytes]) -> bytes:
    if not match[1]:
        return b"&"
    padded = match[1].replace(b",", b"/") + b"=" * (-len(match[1]) % 4)
    return binascii.a2b_base64(padded, strict_mode=True).decode("utf-16-be").encode("utf-8")
