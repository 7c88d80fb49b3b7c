"""Dovecot's quota rules: ``FOLDER:LIMIT:…``, of which the storage limit of all folders is a mailbox's quota.

Source: doc.dovecot.org, 2.3, "Quota Configuration", and 2.4, "Size" of settings. Units are 1024-based; a bare
``storage`` number is in kilobytes, every other one in bytes. Tested with Dovecot 2.3.19.
"""

import re
from typing import Final

_UNITS: Final = {"B": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LIMIT: Final = re.compile(r"(?P<kind>storage|bytes)=(?P<amount>\S*)\Z", re.IGNORECASE)
_MESSAGES: Final = re.compile(r"messages=[0-9]+\Z", re.IGNORECASE)
_SIZE: Final = re.compile(r"(?P<number>[0-9]+)(?:(?P<unit>[KMGT])(?:i?B)?|B)?\Z", re.IGNORECASE)
_BARE: Final = re.compile(r"[0-9]+\Z")
_WHOLE: Final = ("*", "?")  # of all folders; the first also against what a Maildir says of itself
_UNLIMITED: Final = "unlimited"


def of_all_folders(rule: str) -> bool:
    """Whether a rule is for the whole account, whatever it limits.

    Raises:
        ValueError: it is no rule.

    """
    folder, colon, limits = rule.partition(":")
    if not folder or not colon or not limits:
        raise ValueError(f"{rule!r} is no quota rule")
    return folder in _WHOLE


def size(rule: str) -> int | None:
    """The storage limit in bytes, 0 for unlimited; None if the rule has none or is for one folder only.

    Of several limits in one rule the last counts.

    Raises:
        ValueError: it is no rule; or one of all folders with a limit that is relative (``+10%``) or of no known kind.

    """
    if not of_all_folders(rule):
        return None
    found = None
    for limit in rule.split(":")[1:]:
        storage = _LIMIT.match(limit)
        if storage:
            if not _SIZE.match(storage["amount"]):
                raise ValueError(f"{limit!r} is no absolute size")
            bare = 1024 if storage["kind"].lower() == "storage" and _BARE.match(storage["amount"]) else 1
            found = plain_size(storage["amount"]) * bare
        elif not _MESSAGES.match(limit):
            raise ValueError(f"{limit!r} limits what is not known here")
    return found


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


def plain_size(text: str) -> int:
    """The bytes of a size as Dovecot's settings spell it (``1G``, ``512MiB``), 0 for ``unlimited``.

    Raises:
        ValueError: it is no size.

    """
    if text.lower() == _UNLIMITED:
        return 0
    found = _SIZE.match(text)
    if not found:
        raise ValueError(f"{text!r} is no size")
    return int(found["number"]) * _UNITS[(found["unit"] or "B").upper()]


def plain_text(wanted: int) -> str:
    """A size as Dovecot's settings take it, in the largest unit that leaves no rest."""
    if wanted == 0:
        return _UNLIMITED
    unit = next(unit for unit in reversed(_UNITS) if wanted % _UNITS[unit] == 0)
    return f"{wanted // _UNITS[unit]}{unit}"
