"""Sizes and spans, as a person reads them."""

from datetime import timedelta


def octets(number: int) -> str:
    """``1.2 MB``: powers of a thousand, as lines and providers count."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - see the first line
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def span(time: timedelta) -> str:
    """``3 d 4 h``, ``2 h 05 min``, ``3 min`` or ``12 s``."""
    seconds = int(time.total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    if hours >= 48:  # noqa: PLR2004 - two days
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
