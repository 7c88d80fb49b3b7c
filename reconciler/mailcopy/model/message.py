"""A message as a server lists it, and what makes two of them the same."""

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from reconciler.mailcopy.model.internal_date import seconds

IDENTITY_FIELDS = ("Message-ID", "Date", "From", "To", "Subject")
"""The header fields that tell messages apart: no server on the way has reason to change them."""

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\r?\n[ \t].*)*)", re.MULTILINE)
_NOISE = re.compile(rb"[^!-WY-~]+")
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")


class Row(NamedTuple):
    """One message in a folder: UID, portable flags joined by spaces, INTERNALDATE as the server writes it, octets."""

    uid: int
    flags: str
    date: str
    size: int

    @property
    def arrived(self) -> int | None:
        """INTERNALDATE in seconds since 1970; earlier ones count as its first, which is what is sent for them."""
        known = seconds(self.date)
        return None if known is None else max(1, known)


class Identity(NamedTuple):
    """What stays the same on every server: the Message-ID (empty without one) and a digest of the stable fields.

    ``undated``: the same digest without the Date, which a server adds where it forwards a message that has none.
    """

    message_id: bytes
    digest: bytes
    undated: bytes = b""
    dated: bool = True

    @property
    def strong(self) -> bool:
        """Whether it tells messages apart by itself; a weak one needs text and date beside it."""
        return bool(self.message_id)


def telling_apart(identities: Iterable[Identity]) -> Callable[[Identity], Hashable]:
    """What tells these messages apart: their identities, and not the Date where one of the same Message-ID lacks it."""
    undated = {identity[:1] + identity[2:3] for identity in identities if identity.strong and not identity.dated}
    return lambda who: key if (key := who[:1] + who[2:3]) in undated else who


def identify(header: bytes) -> Identity:
    """The identity behind a header, or behind the part of it that holds IDENTITY_FIELDS.

    White space and everything outside printable ASCII are left out of it: servers fold, unfold and re-encode. So is
    every X: Cyrus puts one for each octet outside ASCII (munge8bit, on unless told otherwise).
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(header):
        found.setdefault(name.lower(), []).append(_NOISE.sub(b"", value))
    whole, undated = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    for field in IDENTITY_FIELDS:
        line = b"\0".join(found.get(field.lower().encode(), [])) + b"\n"
        whole.update(line)
        if field != "Date":
            undated.update(line)
    message_id = next(iter(found.get(b"message-id", [])), b"")
    return Identity(message_id, whole.digest(), undated.digest(), b"date" in found)


def header_of(message: bytes) -> bytes:
    """The header: all before the first empty line."""
    ends = [end for end in (message.find(b"\r\n\r\n"), message.find(b"\n\n")) if end >= 0]
    return message[: min(ends)] if ends else message


def normalised(message: bytes) -> bytes:
    """A message with what servers are known to rewrite taken out of the comparison.

    Dovecot 2.3 stores bare LF as CRLF, CRCRLF as CRLF and NUL as 0x80; Courier 5.0 ends every message with a line end;
    Cyrus 3.6 puts X for octets outside ASCII in a header.
    """
    whole = message.removesuffix(b"\n").removesuffix(b"\r") if message.endswith(b"\n") else message
    plain = whole.replace(b"\r", b"").replace(b"\0", b"\x80")
    header = header_of(plain)
    return _EIGHT_BIT.sub(b"X", header) + plain[len(header) :]


def text_digest(message: bytes) -> bytes:
    """Digest of what follows the header, normalised: a forwarding server adds to the header and leaves this alone."""
    plain = normalised(message)
    return hashlib.sha256(plain[len(header_of(plain)) :]).digest()


def whole_digest(message: bytes) -> bytes:
    """Digest of all of it but CR and NUL, which hardly any server leaves as they are."""
    return hashlib.sha256(message.replace(b"\r", b"").replace(b"\0", b"\x80")).digest()
