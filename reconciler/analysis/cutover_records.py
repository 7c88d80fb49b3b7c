"""What the cutover turns: the RRsets that say where the world delivers, with their two values."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from reconciler.analysis.zone import rrset_in
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.resource import State
from reconciler.model.rrset import RRset, rrset_name
from reconciler.spec.spec import Spec


class Turn(NamedTuple):
    """One RRset that the spec gives another value at the cutover: ``old`` and ``new`` rdata."""

    name: str
    old: frozenset[str]
    new: frozenset[str]

    @property
    def address(self) -> Address:
        """Of the RRset."""
        return Address(Place.DNS, RRset.kind, self.name)

    def stands(self, state: State) -> RRset | None:
        """The RRset as it is in a state."""
        return rrset_in(state, self.name)


def declared(spec: Spec) -> Iterator[Turn]:
    """MX, then A and AAAA of each host, also those whose two values are the same."""
    yield Turn(rrset_name(spec.domain, "MX"), frozenset(map(str, spec.old.mx)), frozenset(map(str, spec.new.mx)))
    for host, addresses in spec.hosts.items():
        for rdtype, family in (("A", IPv4Address), ("AAAA", IPv6Address)):
            old, new = (
                frozenset(str(each) for each in side if isinstance(each, family))
                for side in (addresses.old, addresses.new)
            )
            if old or new:
                yield Turn(rrset_name(host, rdtype), old, new)


def turns(spec: Spec) -> tuple[Turn, ...]:
    """Those that the cutover changes."""
    return tuple(turn for turn in declared(spec) if turn.old != turn.new)


def turning(spec: Spec, changes: tuple[Change, ...], to: Place) -> tuple[Turn, ...]:
    """The turns that these changes make, towards one of the servers."""
    after = {
        change.address: change.after.rdata if isinstance(change.after, RRset) else frozenset[str]()
        for change in changes
        if isinstance(change.after or change.before, RRset)
    }
    return tuple(turn for turn in turns(spec) if after.get(turn.address) == (turn.new if to is Place.NEW else turn.old))


def turned(turn: Turn, state: State) -> bool:
    """Whether the world delivers to the new server, as far as this RRset says."""
    standing = turn.stands(state)
    return (standing.rdata if standing else frozenset()) == turn.new
