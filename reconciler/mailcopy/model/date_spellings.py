"""Dates that are not spelt as RFC 3501 wants them: what servers send for INTERNALDATE, and old headers hold.

Read are the spellings of RFC 822, RFC 5322 with its obsolete ones (section 4.3), asctime, ISO 8601 and those that
imapsync's ``good_date`` lists from real mail: names of months in any case, whole or short, or numbers; years of two or
three digits; dots for colons; no seconds, no time, no zone; AM and PM; zones by name. A text is a date as a whole or
not at all. Where it could be two dates, ``02/06/09`` is month, day, year, and with dashes or dots the day comes first.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_LONGEST: Final = 120
"""Characters; no date is longer, and what no one would call a date is not worth looking at."""
_NAMES: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                 "november", "december")  # fmt: skip
_SHORTEST: Final = 3
_YEARS_1900: Final = 50  # of two digits, below is 2000 and more (RFC 5322, section 4.3)
_LAST_DAY: Final = 31
_NOON: Final = 12
_MIDNIGHT: Final = 24
_LEAP_SECONDS: Final = (60, 61)
_ZONES: Final = {
    "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MET": 1, "MEZ": 1, "CEST": 2, "MEST": 2, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "MSD": 4, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EDT": -4, "EST": -5,
    "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8, "AKDT": -8, "AKST": -9, "HST": -10,
}  # fmt: skip
"""Hours east, where a name means one zone, or RFC 822 says which; any other is UTC (RFC 5322, section 4.3)."""

_BEFORE: Final = re.compile(
    r"(?:date: ?)?(?:(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?![^\W\d_])[.,]*"
    r"|[^\W\d_]{2,12}\.?,) ?)?",
    re.IGNORECASE,
)
"""A weekday, which nobody checks; of another language, if a comma follows."""
_COMMENT: Final = re.compile(r"\(([^()]*)\)")
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH: Final = r"(?P<month>[a-z]{3,9})\.?"
_YEAR: Final = r"(?P<year>\d{2,4})"
_BETWEEN: Final = r"[-/., ]{0,3}"
_TIME: Final = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,]\d{1,9})?)?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?"
)
_ZONE: Final = (
    r"(?: ?(?:z|ut|utc|gmt)? ?(?P<offset>[+-] ?\d{1,2}(?::?\d\d)?)(?: [a-z]{1,5})?| ?(?P<zone>[a-z]{1,5})(?![a-z]))?"
)
_REST: Final = rf"(?:(?: ?, ?| ?t ?|[-: _]){_TIME}{_ZONE})?"
_CLOSE: Final = rf"(?:[t ]?(?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d)?(?:[.,]\d{{1,9}})?{_ZONE})?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}{_REST}\Z",  # 5-mar-2024, 05 March 24, 05/Mar/2024:10:00:00
        rf"{_MONTH}{_BETWEEN}{_DAY}[,. /-]{{1,2}}(?P<year>\d{{4}}){_REST}\Z",  # March 5, 2024
        rf"{_MONTH} {_DAY},? {_TIME}{_ZONE} (?P<year>\d{{4}})\Z",  # Mar  5 10:00:00 MST 2024
        rf"(?P<year>\d{{4}}){_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}{_REST}\Z",  # 2024-Mar-05
        rf"(?P<year>\d{{4}})[-/. ](?P<number>\d{{1,2}})[-/. ]{_DAY}{_REST}\Z",  # 2024-03-05T10:00:00Z, 2024/03/05
        rf"(?P<day>\d{{1,2}})(?P<sign>[-/.])(?P<number>\d{{1,2}})(?P=sign){_YEAR}{_REST}\Z",  # 05-03-2024, 03/05/24
        rf"(?P<year>\d{{4}})(?P<number>\d\d)(?P<day>\d\d){_CLOSE}\Z",  # 20240305T100000Z
    )
)


def read_date(text: str) -> datetime | None:
    """The date as an aware time, or None if it is none; a date without a zone is UTC, one without a time its midnight.

    Never raises.
    """
    if len(text) > _LONGEST:
        return None
    words = " ".join(text.split())
    if words[:1] == words[-1:] == '"':
        words = words[1:-1].strip()
    words, told = _without_comments(words)
    words = _BEFORE.sub("", words, count=1)
    for form in _FORMS:
        if (match := form.match(words)) and (found := _moment(match.groupdict(), told)):
            return found
    return None


def _without_comments(words: str) -> tuple[str, str]:
    """The rest and the first comment: ``10:00:00 +0100 (CET)``, ``10:00:00 (PST)``; they may be nested."""
    told = ""
    while match := _COMMENT.search(words):
        told = told or match[1].strip()
        words = " ".join((words[: match.start()] + " " + words[match.end() :]).split())
    return words, told


def _moment(parts: dict[str, str | None], told: str) -> datetime | None:
    try:
        day, month, year = _calendar(parts)
        hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
        half = (parts.get("half") or "").lower()
        if half == "p" and hour < _NOON:
            hour += _NOON
        elif half == "a" and hour == _NOON:
            hour = 0
        late = timedelta()
        if (hour, minute, second) == (_MIDNIGHT, 0, 0):
            hour, late = 0, timedelta(days=1)
        second = 59 if second in _LEAP_SECONDS else second
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(parts, told)) + late
    except (ValueError, OverflowError):
        return None


def _calendar(parts: dict[str, str | None]) -> tuple[int, int, int]:
    """Day, month and year.

    Raises:
        ValueError: the month is none.

    """
    day, year = parts["day"] or "", parts["year"] or ""
    if name := parts.get("month"):
        month = next(n for n, known in enumerate((*_NAMES, ""), 1) if known.startswith(name.lower()) or not known)
    else:
        month = int(parts.get("number") or 0)
        first_is_month = parts.get("sign") == "/"
        if parts.get("sign") and (first_is_month or month > len(_NAMES)) and int(day) <= len(_NAMES):
            day, month = str(month), int(day)
    if int(day) > _LAST_DAY and len(year) == 2:  # noqa: PLR2004 - 96-Jul-17
        day, year = year, day
    return int(day), month, _full_year(year)


def _full_year(digits: str) -> int:
    number = int(digits)
    if len(digits) == 2:  # noqa: PLR2004 - two digits
        return number + (2000 if number < _YEARS_1900 else 1900)
    return number + 1900 if len(digits) == 3 else number  # noqa: PLR2004 - programs that counted on after 1999


def _zone(parts: dict[str, str | None], told: str) -> timezone:
    """The zone of a number, else of a name.

    Raises:
        ValueError: no zone is so far from UTC.

    """
    if offset := parts.get("offset"):
        digits = re.sub(r"\D", "", offset)
        hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])  # noqa: PLR2004 - +01
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-away if offset[0] == "-" else away)
    name = (parts.get("zone") or told).upper()
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else UTC
