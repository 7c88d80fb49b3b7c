"""Dovecot's quota rules: ``FOLDER:LIMIT:…``, of which the storage limit of all folders is a mailbox's quota.

Source: doc.dovecot.org, 2.3, "Quota Configuration"; the units are those of Dovecot's settings: 1024-based, and a bare
``storage`` number is in kilobytes.
"""

import re
from typing import Final

_UNITS: Final = {"B": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LIMIT: Final = re.compile(r"(?P<kind>storage|bytes)=(?P<amount>\S*)\Z", re.IGNORECASE)
_SIZE: Final = re.compile(r"(?P<number>\d+)(?P<unit>[BKMGT]?)(?:i?B)?\Z", re.IGNORECASE)


def size(rule: str) -> int | None:
    """The storage limit in bytes, 0 for unlimited; None if the rule has none or is for one folder only.

    Raises:
        ValueError: the limit is relative to another rule (``+10%``) or no size.

    """
    folder, _, limits = rule.partition(":")
    if folder != "*":
        return None
    for limit in limits.split(":"):
        found = _LIMIT.match(limit)
        if found:
            amount = _SIZE.match(found["amount"])
            if not amount:
                raise ValueError(f"{limit!r} is no absolute size")
            default = "K" if found["kind"].lower() == "storage" else "B"
            return int(amount["number"]) * _UNITS[(amount["unit"] or default).upper()]
    return None


def with_size(rule: str | None, wanted: int | None) -> str | None:
    """The rule with another storage limit, in bytes, its other limits kept; None where nothing is left of it."""
    if rule is None:
        return None if wanted is None else f"*:bytes={wanted}"
    folder, *limits = rule.split(":")
    kept = [limit for limit in limits if not _LIMIT.match(limit)]
    position = next((n for n, limit in enumerate(limits) if _LIMIT.match(limit)), len(limits))
    if wanted is not None:
        kept.insert(position, f"bytes={wanted}")
    return ":".join([folder, *kept]) if kept else None
