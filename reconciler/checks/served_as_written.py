"""What the world is told is what the zone's keeper shows: nobody edits a zone that nobody asks.

A provider that the domain has left years ago still takes every change; a file that was never loaded looks right as
well. Whoever moves by such a zone waits for caches, turns the MX, and the world goes on as before.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from reconciler.analysis.caches import in_seconds
from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.outside import ZoneServer, ZoneServers
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences

_MOST_SHOWN: Final = 3
_LOOK_AGAIN: Final = timedelta(minutes=5)  # a name server that missed a NOTIFY follows at its next refresh


class _Other(NamedTuple):
    """A server that serves something else than the keeper shows; ``late``: it has an older version of the zone."""

    server: ZoneServer
    standing: RRset
    served: RRset | None
    late: bool

    def __str__(self) -> str:
        return (
            f"{self.server} serves {_data(self.served)} for {self.standing.name}, the zone has {_data(self.standing)}"
        )


def judge(_spec: Spec, facts: Facts) -> Answer:
    """Each RRset of the move at each name server that the world asks. Going back is never held up."""
    seen = facts.outside.get(ZoneServers)
    if seen is None:
        return Pass("not asked: probe.resolver in the spec names no resolver")
    others = [*_others(facts, seen)]
    wrong = [it for it in others if not it.late]
    acts = facts.stage is Stage.CUTOVER and not facts.back
    if wrong:
        why = f"the world is not told what the zone's keeper shows: {listed(wrong, _MOST_SHOWN)}"
        todo = (
            "see that dns in the spec is where the zone is really kept (the registrar's name servers say where), and "
            "that what stands there was loaded; then plan again"
        )
        return Fail(why, todo) if acts else Warn(why, todo)
    if others and acts:
        return Wait(facts.now + _LOOK_AGAIN, f"not every name server has followed yet: {listed(others, _MOST_SHOWN)}")
    if told := [*map(str, others[:_MOST_SHOWN]), *_other_ttls(facts, seen)]:
        return Warn(sentences(*told), "see that each name server runs and follows the primary")
    compared = {name for server in seen.servers for name in server.served}
    if not compared:
        return Pass("not compared: no name server of the zone could be asked")
    return Pass(f"{counted(len(compared), 'record set')} of the move, the same at all name servers as in the zone")


def _others(facts: Facts, seen: ZoneServers) -> Iterator[_Other]:
    newest = max((server.serial for server in seen.servers if server.serial is not None), default=0)
    for server, standing, served in _pairs(facts, seen):
        if served is None or served.rdata != standing.rdata:
            yield _Other(server, standing, served, late=(server.serial or 0) < newest)


def _other_ttls(facts: Facts, seen: ZoneServers) -> Iterator[str]:
    for server, standing, served in _pairs(facts, seen):
        if served and served.rdata == standing.rdata and served.ttl != standing.ttl:
            yield (
                f"{server} serves {standing.name} with a TTL of {in_seconds(served.ttl)}, the zone has "
                f"{in_seconds(standing.ttl)}: caches keep it for as long as the server says"
            )


def _pairs(facts: Facts, seen: ZoneServers) -> Iterator[tuple[ZoneServer, RRset, RRset | None]]:
    for server in seen.servers:
        for name, served in server.served.items():
            standing = facts.observed.get(Address(Place.DNS, RRset.kind, name))
            if isinstance(standing, RRset):
                yield server, standing, served


def _data(value: RRset | None) -> str:
    return listed(sorted(value.rdata), _MOST_SHOWN) if value else "nothing"


CHECK = Check(
    title="The world is told what stands in the zone",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 1034, section 4.3.5; RFC 1912, section 2.8",
)
