"""Until when a cache somewhere may answer with what was replaced (RFC 1034, section 3.6; RFC 2181, section 5.2)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from reconciler.model.rrset import RRset
from reconciler.model.sighting import History
from reconciler.model.verdict import Pass, Wait
from reconciler.wording.lists import listed, moment, span

Counts = Callable[[RRset], bool]
"""Whether it would matter that a cache still holds this value."""


class Forgotten(NamedTuple):
    """``value`` was last given out by ``server`` before ``replaced_at``."""

    value: RRset
    server: str
    replaced_at: datetime

    @property
    def at(self) -> datetime:
        """From when on no cache holds it: one that asked in the last moment keeps it for a whole TTL."""
        return self.replaced_at + timedelta(seconds=self.value.ttl)


def anything(_value: RRset) -> bool:
    """Every earlier value matters."""
    return True


def last_forgotten(history: History, counts: Counts) -> Forgotten | None:
    """Of the replaced values that count, the one that caches hold longest; None if there was none."""
    replaced = (
        Forgotten(earlier.value, server, later.first_seen)
        for server in history.servers
        for earlier, later in pairwise(history.of_server(server))
        if earlier.value is not None and counts(earlier.value)
    )
    return max(replaced, key=lambda each: each.at, default=None)


def forgotten(
    name: str,
    standing: RRset | None,
    history: History | None,
    *,
    now: datetime,
    margin: timedelta,
    counts: Counts = anything,
) -> Pass | Wait:
    """Whether no cache holds an earlier value that counts of the RRset ``name``.

    Where no name server was ever seen with such a value, the first sighting of ``standing`` is taken for its
    replacement: what was served before, nobody noted.
    """
    if history is None or not history.sightings:
        return Wait(None, f"nobody has noted yet since when the name servers say what stands for {name}: apply does")
    if lagging := history.lagging(standing):
        return Wait(None, _lagging(name, standing, history, lagging))
    last = last_forgotten(history, counts)
    if last is None:
        first = max(sighting.first_seen for sighting in history.sightings)
        until = first + timedelta(seconds=standing.ttl if standing else 0) + margin
        story = f"{name} was first looked at {moment(first)}" + (
            f", with a TTL of {in_seconds(standing.ttl)}" if standing else ""
        )
    else:
        until = last.at + margin
        story = (
            f"{last.server} was the last to give up the earlier {name}, seen {moment(last.replaced_at)}, "
            f"with a TTL of {in_seconds(last.value.ttl)}"
        )
    if now >= until:
        return Pass(f"{story}; no cache holds what stood before since {moment(until)}")
    added = f" and the margin of {span(margin)}" if margin else ""
    return Wait(until, f"{story}; caches may keep what stood before that long{added}")


def latest(answers: list[Pass | Wait], nothing: str) -> Pass | Wait:
    """The answer for all of them: one without a known time weighs most, then the longest wait.

    ``nothing`` is the evidence where nothing was asked.
    """
    waits = [answer for answer in answers if isinstance(answer, Wait)]
    unknown = [wait for wait in waits if wait.until is None]
    if waits:
        until = None if unknown else max(wait.until for wait in waits if wait.until)
        return Wait(until, "; ".join(wait.why for wait in unknown or waits))
    return Pass("; ".join(answer.evidence for answer in answers if isinstance(answer, Pass)) or nothing)


def in_seconds(ttl: int) -> str:
    """``24 h (86400 s)``: for people, and as it stands in the zone."""
    words, plain = span(ttl), f"{ttl} s"
    return plain if words == plain else f"{words} ({plain})"


def _lagging(name: str, standing: RRset | None, history: History, servers: tuple[str, ...]) -> str:
    last = {server: history.of_server(server)[-1].value for server in servers}
    which = listed(f"{server} with {_shown(value)}" for server, value in last.items())
    return (
        f"not every name server was seen with the {name} that was written ({_shown(standing)}): last {which}; "
        "apply looks again"
    )


def _shown(value: RRset | None) -> str:
    return f"{listed(sorted(value.rdata))}, TTL {value.ttl}" if value else "nothing"
