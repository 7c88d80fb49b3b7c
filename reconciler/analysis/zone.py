"""What a zone says of a name, and where it says nothing because others are asked (RFC 1034, section 4.3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.model.address import Address, Place
from reconciler.model.resource import State
from reconciler.model.rrset import RRset

_LONGEST_CHAIN: Final = 8  # CNAMEs; resolvers give up at about as many
_TYPES: Final = ("A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS", "CAA", "TLSA", "HTTPS")


@dataclass(frozen=True, slots=True)
class Zone:
    """The records at and below ``origin``, an absolute name; what is outside of it is not seen."""

    state: State
    origin: str

    def at(self, owner: str, rdtype: str) -> RRset | None:
        """What stands at exactly this name."""
        return rrset_in(self.state, f"{owner} {rdtype}")

    def sees(self, owner: str) -> bool:
        """Whether this zone, and no other, answers for the name."""
        if owner != self.origin and not owner.endswith(f".{self.origin}"):
            return False
        return not any(self.at(name, "NS") for name in self._up(owner))

    def answer(self, owner: str, rdtype: str) -> RRset | None:
        """What a resolver gets: through CNAMEs and wildcards; None also where a CNAME leaves what is seen."""
        for _ in range(_LONGEST_CHAIN):
            alias = self._exact_or_wild(owner, "CNAME")
            if alias is None:
                return self._exact_or_wild(owner, rdtype)
            owner = next(iter(alias.rdata))
        return None

    def end(self, owner: str) -> str:
        """The name behind all CNAMEs."""
        for _ in range(_LONGEST_CHAIN):
            alias = self._exact_or_wild(owner, "CNAME")
            if alias is None:
                break
            owner = next(iter(alias.rdata))
        return owner

    def has_address(self, owner: str) -> bool:
        """Whether the name has an IPv4 or IPv6 address."""
        return any(self.answer(owner, rdtype) for rdtype in ("A", "AAAA"))

    def texts(self, owner: str) -> frozenset[str]:
        """The TXT strings at the name."""
        found = self.answer(owner, "TXT")
        return found.rdata if found else frozenset()

    def _exact_or_wild(self, owner: str, rdtype: str) -> RRset | None:
        if owner == self.origin or any(self.at(owner, each) for each in _TYPES):
            return self.at(owner, rdtype)  # a wildcard stands in only for names that do not exist (RFC 4592)
        for name in self._up(owner.partition(".")[2], below_origin=False):
            if wild := self.at(f"*.{name}", rdtype):
                return wild
        return None

    def _up(self, owner: str, *, below_origin: bool = True) -> Iterator[str]:
        """The name, its parent and so on; the origin comes last, or not at all."""
        while owner.endswith(f".{self.origin}"):
            yield owner
            owner = owner.partition(".")[2]
        if not below_origin:
            yield self.origin


def rrset_in(state: State, name: str) -> RRset | None:
    """The RRset of that name (``example.org. MX``) in a state."""
    found = state.get(Address(Place.DNS, RRset.kind, name))
    return found if isinstance(found, RRset) else None
