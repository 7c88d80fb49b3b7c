"""Password hashes in Dovecot's dialect: the scheme in braces before the hash, so that every passdb reads it alike.

Source: doc.dovecot.org, 2.3, "Password Schemes"; crypt(5) for the ``$id$`` prefixes.
"""

import re
from typing import Final

import bcrypt

from reconciler.model.secret import Secret

_TAGGED: Final = re.compile(r"\{[A-Za-z0-9][A-Za-z0-9._-]*\}")
_NOT_CRYPT: Final = re.compile(r"\{(?![A-Za-z0-9-]*CRYPT\})", re.IGNORECASE)
_CRYPT: Final = re.compile(r"\$(?P<id>[a-z0-9-]+)\$")
_SCHEMES: Final = {
    "1": "MD5-CRYPT",
    "5": "SHA256-CRYPT",
    "6": "SHA512-CRYPT",
    "2": "BLF-CRYPT",
    "2a": "BLF-CRYPT",
    "2b": "BLF-CRYPT",
    "2x": "BLF-CRYPT",
    "2y": "BLF-CRYPT",
    "argon2i": "ARGON2I",
    "argon2id": "ARGON2ID",  # {CRYPT} does not read it
}
_LENGTHS: Final = {"1": 22, "5": 43, "6": 86, "2a": 53, "2b": 53, "2x": 53, "2y": 53, "y": 43}  # behind the last $
_ROUNDS: Final = 10  # 2^10: about 60 ms, so that a thousand new mailboxes do not take minutes
_LONGEST: Final = 72  # octets, all that bcrypt looks at


def is_hash(text: str) -> bool:
    """Whether the text is a hash already (``{SCHEME}…`` or ``$id$…``), and not a password to be hashed."""
    return bool(_TAGGED.match(text) or _CRYPT.match(text))


def is_cut_short(stored: str) -> bool:
    """Whether the end of a crypt hash is missing, as in a line that was not written in full."""
    bare = _TAGGED.sub("", stored, count=1)
    crypt = None if _NOT_CRYPT.match(stored) else _CRYPT.match(bare)
    return crypt is not None and len(bare.rpartition("$")[2]) < _LENGTHS.get(crypt["id"], 0)


def tagged(stored: str, default: str = "CRYPT") -> Secret:
    """A stored password with its scheme; ``default`` is the passdb's scheme, for a hash that names none."""
    if _TAGGED.match(stored):
        return Secret(stored)
    crypt = _CRYPT.match(stored) if default.upper() == "CRYPT" else None
    return Secret(f"{{{_SCHEMES.get(crypt['id'], default) if crypt else default}}}{stored}")


def to_store(secret: Secret) -> Secret:
    """What goes into the password field: a hash as it is, with its scheme; a password as bcrypt.

    Raises:
        ValueError: it cannot stand in a passwd-file, or bcrypt would cut it short; the message does not repeat it.

    """
    text = secret.reveal()
    if not text:
        raise ValueError("it is empty")
    if is_hash(text):
        if not text.isprintable() or ":" in text:
            raise ValueError("it is a hash with a colon, a line end or control characters, which would break the line")
        return tagged(text)
    octets = text.encode()
    if len(octets) > _LONGEST or b"\0" in octets:
        raise ValueError(f"it has more than {_LONGEST} octets or a NUL in it, and bcrypt would not see what follows")
    return Secret("{BLF-CRYPT}" + bcrypt.hashpw(octets, bcrypt.gensalt(_ROUNDS)).decode())
