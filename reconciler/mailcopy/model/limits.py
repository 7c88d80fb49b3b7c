"""How hard a server may be worked, and what large providers are known to allow."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server; None is unbounded.

    ``connections``: at once, over all mailboxes. ``octets_a_second``: over all of them. ``octets_a_day``: a mailbox
    in the direction that it is used in (UTC days). ``largest``: octets a message, where the server does not say
    (APPENDLIMIT, RFC 7889).
    """

    connections: int = 20
    octets_a_second: int | None = None
    octets_a_day: int | None = None
    largest: int | None = None


_MB = 1_000_000

GMAIL_SOURCE = Limits(connections=10, octets_a_day=2_500 * _MB)
"""Google Workspace admin help, "Gmail bandwidth limits": 2,500 MB a day by IMAP download, 15 connections an account."""

GMAIL_TARGET = Limits(connections=10, octets_a_day=500 * _MB, largest=35_651_584)
"""The same page: 500 MB a day by IMAP upload; its APPENDLIMIT as announced."""

MICROSOFT_365 = Limits(connections=10, largest=35 * _MB)
"""Exchange Online limits: 35 MB a message by default; it throttles with a time to wait instead of a daily volume."""


_MICROSOFT = frozenset(
    {
        "outlook.office365.com",
        "outlook.office.com",
        "imap-mail.outlook.com",
        "outlook.office365.us",
        "outlook.office365.cn",
        "partner.outlook.cn",
    }
)
"""The last three are national clouds."""


def known_limits(host: str, *, writing: bool) -> Limits:
    """What the provider behind a host name is known to allow; a server of one's own gets the plain bounds."""
    name = host.lower().rstrip(".")
    if name in {"imap.gmail.com", "imap.googlemail.com"}:
        return GMAIL_TARGET if writing else GMAIL_SOURCE
    if name in _MICROSOFT:
        return MICROSOFT_365
    return Limits()
