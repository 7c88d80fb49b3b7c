"""How checks put lists, counts and times into words."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

_MOST: Final = 10  # a longer list is not read, it is scrolled past
_UNITS: Final = (("day", 86400), ("h", 3600), ("min", 60))


def listed(items: Iterable[object], most: int = _MOST) -> str:
    """``a, b and c``; of a long list the first ones ``and 9,990 more``."""
    words = [str(item) for item in items]
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most:,} more"
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 mailbox``, ``10,000 mailboxes``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def span(duration: timedelta | float) -> str:
    """``300 s``, ``24 h``, ``7 days``: the largest unit that leaves no rest, beside the seconds where they differ."""
    seconds = int(duration.total_seconds() if isinstance(duration, timedelta) else duration)
    for unit, size in _UNITS:
        number, rest = divmod(seconds, size)
        if number and not rest and not (unit == "day" and number == 1):
            return counted(number, unit) if unit == "day" else f"{number} {unit}"
    return f"{seconds} s"


def moment(at: datetime) -> str:
    """``2026-03-02 08:00 UTC``."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def sentences(*parts: str) -> str:
    """Joined with semicolons, empty ones left out."""
    return "; ".join(part for part in parts if part)
