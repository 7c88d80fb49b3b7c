"""Where each server sends mail on that it takes: aliases, catch-alls and forwards of both, as one graph.

A node is (place, address): mail for the address has arrived on that server. What leaves both servers is no node.
"""

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, Self

from reconciler.analysis.addresses import takes_mail
from reconciler.model.address import Place
from reconciler.model.resource import State
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec

_OTHER: Final = {Place.OLD: Place.NEW, Place.NEW: Place.OLD}


class Node(NamedTuple):
    """Mail for ``address`` has arrived at ``place``; the address ``*@domain`` is the catch-all's."""

    place: Place
    address: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.address} on the {self.place} server"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Per place, the addresses that send on: ``aliases`` (catch-alls too) and ``forwards`` of mailboxes.

    Kept as they stand in the state, without a value of our own for each: there may be tens of thousands.
    """

    domain: str
    state: State
    hosts: Mapping[str, Place]
    aliases: Mapping[Place, dict[str, frozenset[str]]]
    forwards: Mapping[Place, dict[str, str]]

    @classmethod
    def of(cls, spec: Spec, state: State, forwards: Mapping[str, str]) -> Self:
        """Read the state once; ``forwards`` are those of the new server that are still to come.

        An exchange's own name in an address means that server: ``ann@mx.old.example`` is ann on the old server.
        """
        new, old = ({mx.exchange for mx in server.mx} for server in (spec.new, spec.old))
        hosts = dict.fromkeys(new - old, Place.NEW) | dict.fromkeys(old - new, Place.OLD)
        graph = cls(
            spec.domain,
            state,
            hosts,
            aliases={Place.OLD: {}, Place.NEW: {}},
            forwards={Place.OLD: {}, Place.NEW: dict(forwards)},
        )
        for resource in filter(takes_mail, state.values()):
            if isinstance(resource, Alias):
                graph.aliases[resource.place][resource.name] = resource.targets
            elif isinstance(resource, CatchAll):
                graph.aliases[resource.place][f"*@{resource.name}"] = resource.targets
            elif isinstance(resource, SieveScript):
                known = graph.forwards[resource.place]
                if resource.name not in known and (target := resource.forwards_to):
                    known[resource.name] = target
        return graph

    def __len__(self) -> int:
        """How many rules send mail on."""
        return sum(len(rules) for rules in chain[Sized](self.aliases.values(), self.forwards.values()))

    def rule(self, node: Node) -> str:
        """The word for what sends mail on from there."""
        if node.address.startswith("*@"):
            return "catch-all"
        return "alias" if node.address in self.aliases[node.place] else "forward"

    def onward(self) -> dict[Node, list[Node]]:
        """From each node the nodes that its mail reaches and that send it on; most have none and are left out."""
        return {
            Node(place, address): onward
            for place in (Place.NEW, Place.OLD)
            for address in chain(self.aliases[place], self.forwards[place])
            if (onward := [*self._next(place, address)])
        }

    def arrives(self, address: str, sent_by: Place) -> tuple[Place, str] | None:
        """The node where mail for the address goes that a server sends on; None if neither server takes it.

        Both take the domain of the move for their own; another address goes to the one that knows it.
        """
        local, _, domain = address.rpartition("@")
        if domain == self.domain:
            return self._at(sent_by, address) or self._elsewhere(sent_by, address)
        if place := self.hosts.get(domain):
            return self._at(place, address) or self._at(place, f"{local}@{self.domain}")
        return self._at(sent_by, address) or self._at(_OTHER[sent_by], address)

    def _next(self, place: Place, address: str) -> Iterator[Node]:
        for target in self._targets(place, address):
            arrived = self.arrives(target, place)
            if arrived and (arrived[1] in self.aliases[arrived[0]] or arrived[1] in self.forwards[arrived[0]]):
                yield Node(*arrived)

    def _targets(self, place: Place, address: str) -> Iterator[str]:
        """An alias is asked before the mailbox of its address, which gets the mail only if it is a target itself."""
        alias = self.aliases[place].get(address)
        if alias is not None:
            yield from sorted(alias - {address})
        if (alias is None or address in alias) and (forward := self.forwards[place].get(address)):
            yield forward

    def _elsewhere(self, sent_by: Place, address: str) -> tuple[Place, str] | None:
        """An old server that has let go of the domain asks the MX."""
        gone = sent_by is Place.OLD and (sent_by, "domain", self.domain) not in self.state
        return self._at(_OTHER[sent_by], address) if gone else None

    def _at(self, place: Place, address: str) -> tuple[Place, str] | None:
        aliases = self.aliases[place]
        if address in aliases or address in self.forwards[place] or (place, "mailbox", address) in self.state:
            return place, address
        catch_all = f"*@{address.rpartition('@')[2]}"
        return (place, catch_all) if catch_all in aliases else None
