"""The DNS as it will be: what a stage makes of the zone and, for all else, what the resolver says today."""

from collections.abc import Callable

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.analysis.zone import Zone
from reconciler.model.outside import Unknown
from reconciler.model.reference import refers_to
from reconciler.model.resource import State
from reconciler.model.rrset import presentation

LookUp = Callable[[str, str], list[dns.rdata.Rdata]]
"""What a resolver says of a name and type, through aliases; none where either does not exist. Raises Unknown."""


class PlannedDns:
    """Answers as a resolver would, through aliases; what the network said once is not asked again.

    ``zone``: what stands at and below ``origin``, an absolute name; some products show only a part of it, so that what
    is missing there is asked of the resolver too. Without a resolver what is missing does not exist, and other zones
    are unknown.
    """

    def __init__(self, zone: State, origin: str, look_up: LookUp | None) -> None:
        """Ask nobody yet; ``look_up`` asks the resolver."""
        self._zone = Zone(zone, origin)
        self._look_up = look_up
        self._known: dict[tuple[str, str], list[dns.rdata.Rdata]] = {}

    def records(self, name: str, rdtype: str) -> list[dns.rdata.Rdata]:
        """What stands at a name; none where it or the type does not exist.

        Raises:
            Unknown: it could not be found out; says who does not answer.

        """
        owner = f"{name.lower().rstrip('.')}."
        if self._zone.sees(owner):
            owner = self._zone.end(owner)
            planned = self._zone.answer(owner, rdtype) if self._zone.sees(owner) else None
            if planned:
                return [_parsed(rdtype, text) for text in sorted(planned.rdata) if not refers_to(text)]
            if self._look_up is None and self._zone.sees(owner):
                return []
        return self._asked(owner, rdtype)

    def texts(self, name: str) -> list[bytes]:
        """The TXT strings at a name, each joined to one.

        Raises:
            Unknown: they could not be found out.

        """
        return [b"".join(rdata.strings) for rdata in self.records(name, "TXT")]  # type: ignore[attr-defined]

    def _asked(self, owner: str, rdtype: str) -> list[dns.rdata.Rdata]:
        if self._look_up is None:
            raise Unknown(f"{owner} {rdtype} is in another zone, and probe.resolver names nobody to ask")
        if (owner, rdtype) not in self._known:
            self._known[owner, rdtype] = self._look_up(owner, rdtype)
        return self._known[owner, rdtype]


def _parsed(rdtype: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), presentation(rdtype, text))
