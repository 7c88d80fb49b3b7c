"""INTERNALDATE: when a message arrived, in IMAP's own format (RFC 3501, section 9, date-time)."""

import re
from datetime import UTC, datetime, timedelta, timezone

from reconciler.mailcopy.model.date_spellings import read_date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"( ?\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDINARY = re.compile(
    r"(?: [1-9]|0[1-9]|1\d|2[0-8])-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-(?:19[89]\d|20\d\d) "
    r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d [+-](?:0\d|1[0-3])[0-5]\d\Z",
    re.ASCII,
)
"""A date that needs no calendar to be known as one: nearly all are, and a mailbox has very many."""

EARLIEST = "01-Jan-1970 00:00:01 +0000"
"""The earliest date that is sent: Dovecot 2.3 keeps seconds since then and stores 1969 as 2038 without a word;
Courier 5.0 takes second 0 for no date and puts the moment of the copy."""


def moment(text: str) -> datetime | None:
    """The date as an aware time, or None if it is not one; how it may be spelt says ``date_spellings``."""
    match = _DATE.match(text)
    if match is None:
        return read_date(text)
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(offset if sign == "+" else -offset)
        return datetime(
            int(year), _MONTHS.index(month.title()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
    except ValueError:
        return read_date(text)


def seconds(text: str) -> int | None:
    """Seconds since 1970, the one spelling in which dates of two servers are compared; None if it is no date."""
    when = moment(text)
    return None if when is None else int((when - _EPOCH).total_seconds())


def sendable(text: str) -> str | None:
    """The date in the one format that every server parses, with its zone kept; None if there is no saying it.

    A date before 1970 becomes 1970, see EARLIEST.
    """
    if _ORDINARY.match(text):
        return "0" + text[1:] if text[0] == " " else text
    when = moment(text)
    if when is None:
        return None
    if when <= _EPOCH:
        return EARLIEST
    zone = when.strftime("%z")[:5]  # datetime would show seconds of an offset, which none can have here
    return f"{when.day:02d}-{_MONTHS[when.month - 1]}-{when.year:04d} {when:%H:%M:%S} {zone}"
