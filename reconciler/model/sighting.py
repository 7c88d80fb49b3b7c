"""The TTL clock: which name server was seen serving what, and what caches may therefore still hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from reconciler.model.rrset import RRset


@dataclass(frozen=True, slots=True)
class Sighting:
    """``server`` served ``value`` (None: no such RRset) from ``first_seen`` until the next sighting, or still.

    ``gone``: from then on it was no name server of the zone any more; caches forget what it gave out like a replaced
    value.
    """

    server: str
    name: str
    value: RRset | None
    first_seen: datetime
    gone: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """All sightings of one RRset, oldest first."""

    sightings: tuple[Sighting, ...] = ()

    @classmethod
    def of(cls, sightings: Iterable[Sighting]) -> "History":
        """Sorted by time."""
        return cls(tuple(sorted(sightings, key=lambda s: (s.first_seen, s.server))))

    @property
    def servers(self) -> tuple[str, ...]:
        """Every name server that was ever seen."""
        return tuple(dict.fromkeys(s.server for s in self.sightings))

    @property
    def serving(self) -> tuple[str, ...]:
        """The name servers that the zone still has."""
        return tuple(server for server in self.servers if not self.of_server(server)[-1].gone)

    def of_server(self, server: str) -> tuple[Sighting, ...]:
        """What one name server was seen to serve, oldest first."""
        return tuple(s for s in self.sightings if s.server == server)

    def lagging(self, value: RRset | None) -> tuple[str, ...]:
        """The servers of the zone whose last sighting is something else than ``value``."""
        return tuple(s for s in self.serving if self.of_server(s)[-1].value != value)

    def is_served(self, rdata: frozenset[str]) -> bool:
        """Whether a server of the zone serves just this rdata now, whatever the TTL."""
        last = (self.of_server(server)[-1].value for server in self.serving)
        return any(value is not None and value.rdata == rdata for value in last)

    def clear_at(self) -> datetime | None:
        """When the last cache gives up the last value that was replaced; None if none ever was.

        A cache that asked just before a server changed may hold the earlier value for its whole TTL, counted from
        the moment the change was seen there (RFC 2181, section 5.2; RFC 1034, section 3.6).
        """
        return max(
            (
                later.first_seen + timedelta(seconds=earlier.value.ttl)
                for server in self.servers
                for earlier, later in pairwise(self.of_server(server))
                if earlier.value is not None
            ),
            default=None,
        )

    def since(self, rdata: frozenset[str]) -> datetime | None:
        """From when on every server has served just this rdata, whatever the TTL; None if one does not now."""
        starts: list[datetime] = []
        for server in self.serving:
            start = None
            for sighting in self.of_server(server):
                served = sighting.value.rdata if sighting.value else frozenset[str]()
                if served != rdata:
                    start = None
                elif start is None:
                    start = sighting.first_seen
            if start is None:
                return None
            starts.append(start)
        return max(starts, default=None)
