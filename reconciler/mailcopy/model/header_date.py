"""The date that a message carries in its own header (RFC 5322, section 3.6.1), where its server's date says nothing."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reconciler.mailcopy.model.internal_date import sendable
from reconciler.mailcopy.model.message import header_of

_DATE = re.compile(rb"^Date[ \t]*:[ \t]*(.*(?:\r?\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def header_moment(message: bytes) -> datetime | None:
    """The time in the first Date field, aware; None if there is none that can be read."""
    found = _DATE.search(header_of(message))
    if found is None:
        return None
    text = " ".join(found[1].decode("ascii", "replace").split())
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def header_date(message: bytes) -> str | None:
    """The same as APPEND takes it; None if it cannot be said."""
    told = header_moment(message)
    if told is None:
        return None
    return sendable(f"{told.day:02d}-{_MONTHS[told.month - 1]}-{told.year:04d} {told:%H:%M:%S %z}"[:26])
