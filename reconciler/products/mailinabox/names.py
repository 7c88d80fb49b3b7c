"""Which addresses a Mail-in-a-Box gives to users, and which it keeps for its administrators.

Source: Mail-in-a-Box 75, management/mailconfig.py.
"""

import re
from typing import Final

_LOCAL_PART: Final = re.compile(r"[a-z0-9._-]+\Z")
_RESERVED: Final = ("admin", "administrator", "postmaster", "hostmaster", "webmaster", "abuse")
_AUTOMATIC: Final = ("postmaster", "admin", "abuse")
_UNUSABLE: Final = (".test", ".invalid", ".local", ".localhost")


def why_no_user(address: str) -> str | None:
    """Why no account can have this address; None if one can."""
    local, _, domain = address.rpartition("@")
    if not _LOCAL_PART.match(local):
        return (
            f"users' addresses have only a-z, 0-9, dots, hyphens and underscores before the @, so {address} cannot be "
            "one: choose another for the mailbox, and make this one an alias of it"
        )
    if local in _RESERVED:
        return (
            f"{address} is no user's address there, because certificates are given out to whoever reads it: make it "
            "an alias to an administrator of the box"
        )
    if f".{domain}".endswith(_UNUSABLE):
        return f"it takes no mail for {domain}: names under {domain.rpartition('.')[2]} exist on no public network"
    return None


def is_reserved(address: str) -> bool:
    """Whether only administrators of the box may read its mail."""
    return address.rpartition("@")[0].partition("+")[0] in _RESERVED


def is_automatic(address: str) -> bool:
    """Whether the box makes this alias itself for every domain; its list then may not show a person's own one."""
    return address.rpartition("@")[0] in _AUTOMATIC
