"""DKIM key records: the public halves that verifiers look up (RFC 6376, section 3.6.1)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Self

from reconciler.model.tags import Tags

VERSION = "DKIM1"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The tags of one record; ``v``, where it stands, is first."""

    tags: Tags

    @property
    def public(self) -> str:
        """The key in base64 without white space; empty for a revoked key."""
        return "".join((self.tags.get("p") or "").split())

    @property
    def key_type(self) -> str:
        """``rsa`` or ``ed25519`` (RFC 8463)."""
        return self.tags.get("k") or "rsa"

    @property
    def revoked(self) -> bool:
        """Whether the record says that its key is no longer valid."""
        return not self.public

    @property
    def bits(self) -> int | None:
        """The size of the key; None for a revoked one, and for one that no verifier could read."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to load, seldom asked for
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415

        try:
            octets = base64.b64decode(self.public, validate=True)
            if self.key_type == "ed25519":
                return len(octets) * 8 or None
            key = load_der_public_key(octets)
        except (binascii.Error, ValueError, UnsupportedAlgorithm):
            return None
        return key.key_size if isinstance(key, RSAPublicKey) else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """A record's text.

        Raises:
            ValueError: it is not a key record; verifiers would not find a key.

        """
        tags = Tags.parse(text)
        if tags.get("p") is None:
            msg = f"{text!r} is not a DKIM key record: it has no p="
            raise ValueError(msg)
        if tags.get("v") not in {None, VERSION} or ("v" in dict(tags.pairs) and tags.pairs[0][0] != "v"):
            msg = f"{text!r} is not a DKIM key record: v= must be {VERSION} and the first tag"
            raise ValueError(msg)
        return cls(tags)


def is_key(text: str) -> bool:
    """Whether a TXT string is, or means to be, a DKIM key: it says so, or it has ``p=`` and no other version."""
    version = Tags.parse_leniently(text).get("v")
    return version == VERSION or (version is None and Tags.parse_leniently(text).get("p") is not None)
