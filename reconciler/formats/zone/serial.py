"""The SOA serial: how secondaries learn that a zone has changed (RFC 1982)."""

from datetime import date, datetime
from typing import Final

_MODULUS: Final = 2**32
_EARLIEST: Final = 1980  # the first serials of this form are younger; Unix times reach 1980010100 in the year 2032


def raised(serial: int, now: datetime) -> int:
    """The next serial: of today where it counts as YYYYMMDDnn (RFC 1912, section 2.2), else one more.

    ``now`` is UTC. Zero is left out, because some servers take it for "none".
    """
    following = (serial + 1) % _MODULUS or 1
    if not _is_date(serial):
        return following
    return max(following, int(now.strftime("%Y%m%d")) * 100)


def _is_date(serial: int) -> bool:
    year, month, day = serial // 1000000, serial // 10000 % 100, serial // 100 % 100
    try:
        return date(year, month, day).year >= _EARLIEST
    except ValueError:
        return False
