"""Flags that may be sent with a message: what a server could refuse is never put beside a literal.

A server that refuses the arguments of an APPEND need not swallow a non-synchronising literal (RFC 7888, section 4):
it would then read the message as commands. So only what every server must parse is let through.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

SYSTEM = ("\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen")
"""RFC 3501, section 2.3.2, without \\Recent, which no client may set."""

LONGEST_KEYWORD = 50
"""Octets; Dovecot refuses longer ones (mail_max_keyword_length)."""

_SYSTEM = {flag.lower(): flag for flag in SYSTEM}
_ATOM = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~\[]+\Z")  # RFC 3501, section 9: ATOM-CHAR


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a folder keeps for good: its PERMANENTFLAGS (RFC 3501, section 7.1); ``any_keyword``: new ones too.

    ``tried``: the server says that it keeps none at all, which is mostly not so: the system flags are tried.
    """

    flags: frozenset[str]
    any_keyword: bool
    tried: bool = False

    @classmethod
    def of(cls, flags: Collection[str]) -> "Allowed":
        """From the flags as the server lists them."""
        if not flags:
            return cls(frozenset(_SYSTEM), any_keyword=False, tried=True)
        return cls(frozenset(flag.lower() for flag in flags), "\\*" in flags)

    def without_new(self, taken: Collection[str]) -> "Allowed":
        """As a folder is that takes no more keywords than those that it has ``taken``."""
        return Allowed(self.flags | {flag.lower() for flag in taken}, any_keyword=False)

    def keeps(self, flag: str) -> bool:
        """Whether the folder would store it."""
        return flag.lower() in self.flags or (self.any_keyword and not flag.startswith("\\"))

    def less(self, refused: Collection[str]) -> "Allowed":
        """As a folder is that refuses messages with these flags."""
        return Allowed(self.flags - {flag.lower() for flag in refused}, self.any_keyword, self.tried)


EVERYTHING = Allowed(frozenset(_SYSTEM), any_keyword=True)
"""A folder whose server does not say what it keeps, which means all of it (RFC 3501, section 7.1)."""

NO_FLAGS = Allowed(frozenset(), any_keyword=False)
"""A folder that refuses messages with flags."""


@lru_cache(maxsize=4096)
def portable(flags: str) -> str:
    """The flags that can be carried, in one spelling and order, joined by spaces; others are left out."""
    kept: dict[str, str] = {}
    for flag in flags.split():
        known = _SYSTEM.get(flag.lower())
        if known or (len(flag) <= LONGEST_KEYWORD and _ATOM.match(flag)):
            kept.setdefault(flag.lower(), known or flag)
    return " ".join(kept[key] for key in sorted(kept))


@lru_cache(maxsize=4096)
def lost(flags: str) -> frozenset[str]:
    """The flags that ``portable`` leaves out, Recent aside: that belongs to a session, not to the message."""
    kept = {flag.lower() for flag in portable(flags).split()}
    return frozenset(f for f in flags.split() if f.lower() not in kept and f.lower() != "\\recent")


@lru_cache(maxsize=4096)
def storable(flags: str, allowed: Allowed) -> str:
    """Of portable flags, those that the target folder keeps."""
    return " ".join(flag for flag in flags.split() if allowed.keeps(flag))


def keywords(flags: str) -> frozenset[str]:
    """Of portable flags, those that are not the system's."""
    return frozenset(flag for flag in flags.split() if not flag.startswith("\\"))


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What to add to and to take from the flags of a message on the target."""

    add: str
    remove: str


def follow(before: str, after: str) -> FlagChange | None:
    """What the user changed on the source since the flags were ``before``; None if nothing that is followed.

    A mark of deletion is carried with a new message but never put on one that stands on the target: together with
    some program's expunge it would delete mail. It is taken off again like any other flag.
    """
    old, new = _by_key(before.split()), _by_key(after.split())
    add = sorted(new[key] for key in new.keys() - old.keys() if key != "\\deleted")
    remove = sorted(old[key] for key in old.keys() - new.keys())
    return FlagChange(" ".join(add), " ".join(remove)) if add or remove else None


def _by_key(flags: Iterable[str]) -> dict[str, str]:
    return {flag.lower(): flag for flag in flags}
