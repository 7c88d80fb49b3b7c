"""When a message arrived, as the judge reads it: INTERNALDATE, or the message's own Date header."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from reconciler.mailcopy.model.internal_date import seconds

_ORDINARY: Final = re.compile(
    r"([ \d]\d-[A-Z][a-z]{2}-\d{4}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d) ([+-]\d{4})\Z", re.ASCII
)
_DATE: Final = re.compile(rb"^Date[ \t]*:(.*(?:\r?\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
_FIRST: Final = 1
"""Seconds since 1970: what is sent for every earlier date."""


def arrived(date: str | None) -> int | None:
    """INTERNALDATE in seconds since 1970; None if there is none, or what no one can read."""
    if date is None:
        return None
    if ordinary := _ORDINARY.match(date):
        day, hour, minute, second, zone = ordinary.groups()
        midnight = _midnight(day, zone)
        known = None if midnight is None else midnight + int(hour) * 3600 + int(minute) * 60 + int(second)
    else:
        known = seconds(date)
    return None if known is None else max(_FIRST, known)


def dated(header: bytes) -> int | None:
    """What the Date field says (RFC 5322, section 3.3), in seconds since 1970; None where it says nothing readable."""
    found = _DATE.search(header)
    if found is None:
        return None
    text = " ".join(found[1].decode("latin-1").split())
    try:
        when = parsedate_to_datetime(text)
        return max(_FIRST, int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@lru_cache(maxsize=65536)
def _midnight(day: str, zone: str) -> int | None:
    return seconds(f"{day} 00:00:00 {zone}")
