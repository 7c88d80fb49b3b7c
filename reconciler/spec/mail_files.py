"""Stored mail whose files are at hand, on the machine of the server's own files: this one, or the one of its `ssh`."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Bytes

_VARIABLE: Final = re.compile(r"%(?:L?[und%]|\{(?:user|username|domain)\})")
_EXAMPLE: Final = "/var/vmail/%d/%n/Maildir"

IMAP: Final = "<imap>"
MAILDIR: Final = "<maildir>"
MBOX: Final = "<mbox>"
"""Tags of the ways to reach the mail; in angle brackets, so that no key of a spec is taken for one."""


def _pattern(value: str) -> str:
    rest = _VARIABLE.sub("", value)
    if "%" in rest:
        msg = f"{value!r} has a variable that is not known here: expected %u (address), %n (local part), %d (domain)"
        raise ValueError(msg)
    if not _VARIABLE.search(value.replace("%%", "")):
        msg = f"{value!r} is the same place for every mailbox: expected a pattern such as {_EXAMPLE}"
        raise ValueError(msg)
    if any(not c.isprintable() for c in value) or ".." in value.split("/"):
        msg = f"{value!r} is no path to mail: it has control characters, or leads upwards"
        raise ValueError(msg)
    return value


Pattern = Annotated[
    str,
    AfterValidator(_pattern),
    WithJsonSchema({"type": "string", "description": "A path with %u, %n or %d", "examples": [_EXAMPLE]}),
]


class _Files(Frozen):
    connections: int = Field(default=4, ge=1, le=64)
    """Mailboxes at a time."""
    octets_per_second: Bytes | None = Field(default=None, ge=1024)
    """Over all mailboxes, as 5000000 or "5 MB"; unbounded, if silent."""


class Maildirs(_Files):
    """A Maildir for each mailbox, with Dovecot's control files in it (no CONTROL= elsewhere)."""

    maildir: Pattern
    """Where it lies: `%u` is the address (or `old_login`, `new_login`), `%n` its local part, `%d` its domain."""
    layout: str = Field(default="maildir++", pattern=r"^(maildir\+\+|fs)$")
    """maildir++: folders as `.Work.Old`; fs: as `Work/Old` (Dovecot's LAYOUT=fs)."""
    make: bool = False
    """Whether a Maildir that is missing on the target is made; else it is told, for the path may be wrong."""


class Mboxes(_Files):
    """Mailboxes in mbox files: a source only."""

    mbox: Pattern
    """A folder of files, one for each folder, such as `/home/%n/mail`; or one file, which is INBOX."""
    inbox: Pattern | None = None
    """INBOX, where it lies elsewhere, such as `/var/mail/%n`."""


def way(value: object) -> str:
    """Which of the three is meant, by the key that stands there."""
    known: dict[str, tuple[str, type[_Files]]] = {MAILDIR: ("maildir", Maildirs), MBOX: ("mbox", Mboxes)}
    return next((tag for tag, (key, model) in known.items() if isinstance(value, model) or _has(value, key)), IMAP)


def _has(value: object, key: str) -> bool:
    return isinstance(value, Mapping) and key in value
