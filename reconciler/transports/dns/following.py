"""Waiting until every name server of a zone serves what its primary does."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from reconciler.errors import NotServedYet, ObserveError
from reconciler.model.event import NOBODY, Events, Waiting
from reconciler.model.rrset import RRset
from reconciler.transports.dns.authority import Authority

_log: Final = logging.getLogger(__name__)
_PAUSES: Final = (0.05, 5.0)  # seconds between two questions: the first, and the longest that doubling it leads to
_HALF: Final = 2**31


@dataclass(frozen=True, slots=True)
class Written:
    """What a primary serves since a write: the zone's serial, and the RRset ``name`` (None: it is gone)."""

    serial: int
    name: str
    value: RRset | None


def follow(
    authorities: Sequence[Authority],
    written: Written,
    wait: timedelta,
    events: Events = NOBODY,
    *,
    pause: Callable[[float], None] = time.sleep,
    elapsed: Callable[[], float] = time.monotonic,
) -> None:
    """Ask all of them, again and again, until each has followed; ``events`` hear who lags.

    A name server has followed when its serial is later (RFC 1982), or the same and the RRset as well: not every
    primary raises the serial.

    Raises:
        NotServedYet: the time ran out; the write stands.

    """
    began, between, longest = elapsed(), *_PAUSES
    said: list[str] = []
    while lagging := _lagging(authorities, written):
        waited = elapsed() - began
        if waited >= wait.total_seconds():
            raise NotServedYet(
                f"{written.name} is written at the primary (serial {written.serial}), but "
                f"{_seconds(waited)} later {'; '.join(lagging)}. The change stands and is in the journal; the wait for "
                "caches begins when the last name server has followed. See there why it does not (NOTIFY and "
                "transfers, its log), then apply again to go on"
            )
        if lagging != said:
            _log.info("%s: %s", written.name, "; ".join(lagging))
            events.tell(Waiting(f"{written.name}: {'; '.join(lagging)}"))
            said = lagging
        pause(min(between, wait.total_seconds() - waited))
        between = min(between * 2, longest)


def behind(serial: int, other: int) -> bool:
    """Whether a serial is earlier than another (RFC 1982, section 3.2)."""
    return serial != other and (other - serial) % 2**32 < _HALF


def _lagging(authorities: Sequence[Authority], written: Written) -> list[str]:
    """What is to be said of each that has not followed."""
    if not authorities:
        return []
    with ThreadPoolExecutor(max_workers=len(authorities)) as pool:
        return [why for why in pool.map(lambda authority: _lag(authority, written), authorities) if why]


def _lag(authority: Authority, written: Written) -> str | None:
    try:
        serial = authority.serial()
        if behind(serial, written.serial):
            return f"{authority.server} still serves serial {serial}"
        if serial == written.serial and authority.rrset(written.name) != written.value:
            return f"{authority.server} serves another {written.name} under the same serial {serial}"
    except ObserveError as error:
        return str(error)
    return None


def _seconds(number: float) -> str:
    return str(timedelta(seconds=round(number)))
