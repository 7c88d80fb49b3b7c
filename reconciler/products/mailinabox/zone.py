"""A zone that a Mail-in-a-Box keeps: read as it was written for the name server, changed by custom records."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass

from reconciler.errors import ObserveError, ReconcilerError, StalePlan, WriteError
from reconciler.model.change import Change
from reconciler.model.event import NOBODY, Events
from reconciler.model.name import owner_name
from reconciler.model.rrset import RRset, normal_rdata, text_of
from reconciler.products.mailinabox.box import Box, Doubtful
from reconciler.products.mailinabox.rules import TTL, Own, body, expected, impossible
from reconciler.products.mailinabox.zone_text import Zone, parsed
from reconciler.transports.dns import authority
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.following import Written, follow

_CUSTOM: Final = "/dns/custom"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call for a name and type. PUT drops all others of them, POST adds, DELETE takes one away."""

    method: str
    body: str


@dataclass(slots=True)
class BoxZone:
    """The zone that holds ``domain`` (absolute). ``authorities`` gives the name servers that the world asks.

    ``wait`` is how long they may take to serve a change, 0 not to wait.
    """

    box: Box
    domain: str
    authorities: Callable[[Zone], Sequence[Authority]]
    wait: timedelta
    events: Events = NOBODY
    batch: int = 1

    def read(self, names: Collection[str] | None = None) -> Iterable[RRset]:
        """All RRsets but SOA, those that the box makes by itself among them."""
        return [rrset for name, rrset in self._zone().rrsets.items() if names is None or name in names]

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """What each name server gives out; one that does not answer is an error."""
        return authority.served(self.authorities(self._zone()), names)

    def write(self, changes: Sequence[Change], /) -> None:
        """Each by as few calls as it takes, then read back; what the zone does not show is taken back."""
        for change in changes:
            self._write(change)

    def _write(self, change: Change) -> None:
        zone, name = self._zone(), change.address.name
        if zone.rrsets.get(name) != change.before:
            raise StalePlan(
                f"{change.address} is no longer what the plan was made for: {self.box.where} has "
                f"{_said(zone.rrsets.get(name))} instead of {_said(change.before)}. Nothing was written; plan again"
            )
        custom = self._custom(zone, name)
        wanted = self._allowed(change, zone, custom)
        try:
            for operation in operations(name.rpartition(" ")[2], custom, wanted):
                self._call(name, operation)
        except (Doubtful, WriteError) as error:
            self._after_failure(change, custom, error)
        else:
            self._read_back(change, custom)
        if self.wait:
            after = self._zone()
            written = Written(after.serial, name, after.rrsets.get(name))
            follow(self.authorities(after), written, self.wait, self.events)

    def _allowed(self, change: Change, zone: Zone, custom: Mapping[str, str]) -> frozenset[str]:
        """The custom records to have.

        Raises:
            WriteError: the box cannot serve what is wanted, or would break the zone by it; nothing was written.

        """
        after = change.after
        assert after is None or isinstance(after, RRset)
        why = impossible(change, self.domain) or _conflict(change, zone)
        if after and after.ttl != TTL:
            why = why or f"every record has a TTL of {TTL} seconds there, and there is no way to give it {after.ttl}"
        own = self._own(zone, change.address.name, custom)
        wanted = own.custom_for(after.rdata if after else frozenset())
        if wanted is None:
            stays = own.served(after.rdata if after else ()) - (after.rdata if after else frozenset())
            why = why or f"it would go on serving its own {', '.join(sorted(stays))}"
        if why or wanted is None:
            raise WriteError(f"{change.address} was not written to {self.box.where}: {why}")
        return wanted

    def _own(self, zone: Zone, name: str, custom: Mapping[str, str]) -> Own:
        """What the box makes itself: what it serves beside the custom records, and what these stand in the place of."""
        owner, _, rdtype = name.rpartition(" ")
        mail_domains = {owner_name(domain) for domain in self.box.text("/mail/domains").split()}
        hidden = expected(owner, rdtype, mail_domains, zone.primary)
        standing = zone.rrsets.get(name)
        shown = (standing.rdata if standing else frozenset()) - custom.keys()
        replaced = hidden.rdata if hidden.left(custom.keys()) != hidden.rdata else frozenset()
        return Own(owner, rdtype, hidden.of_mail, shown | replaced)

    def _read_back(self, change: Change, custom: Mapping[str, str]) -> None:
        name = change.address.name
        found = self._zone().rrsets.get(name)
        if found != change.after:
            raise WriteError(
                f"{change.address} was accepted by {self.box.where}, but its zone then had {_said(found)} instead of "
                f"{_said(change.after)}. {self._take_back(change, custom)}; see its status checks, then plan again"
            )

    def _after_failure(self, change: Change, custom: Mapping[str, str], error: Exception) -> None:
        """It may have been made all the same; else what was stored is taken back.

        Raises:
            WriteError: it was not made.

        """
        try:
            if self._zone().rrsets.get(change.address.name) == change.after:
                return
        except ReconcilerError:
            pass  # a zone that cannot be read is what taking back may mend
        raise WriteError(
            f"{change.address} was not written: {error}. {self._take_back(change, custom)}; see on the box what is "
            "wrong, then plan again"
        ) from error

    def _take_back(self, change: Change, custom: Mapping[str, str]) -> str:
        """Have the custom records that stood before, and say in a sentence what came of that."""
        name = change.address.name
        owner, _, rdtype = name.rpartition(" ")
        try:
            origin = self._origin()
            now = _normal(self.box.json(_CUSTOM), owner, rdtype, origin)
            for operation in operations(rdtype, now, frozenset(custom), raw=custom):
                try:
                    self._call(name, operation)
                except Doubtful:
                    continue  # a zone that is still broken says so at every call
            stands = self._zone().rrsets.get(name)
        except ReconcilerError as failure:
            return f"It could not be taken back ({failure}): look at the custom DNS records of {owner} by hand"
        if stands == change.before:
            return "What stood before stands again"
        return f"Taking it back left {_said(stands)}: look at the custom DNS records of {owner} by hand"

    def _call(self, name: str, operation: Operation) -> None:
        owner, _, rdtype = name.rpartition(" ")
        path = f"{_CUSTOM}/{quote(owner.removesuffix('.'), safe='*')}/{rdtype}"
        self.box.send(operation.method, path, operation.body)

    def _custom(self, zone: Zone, name: str) -> dict[str, str]:
        """The custom records of a name and type: in normal form, and as the box has them."""
        owner, _, rdtype = name.rpartition(" ")
        return _normal(self.box.json(_CUSTOM), owner, rdtype, zone.origin, zone.rrsets.get(name))

    def _zone(self) -> Zone:
        origin = self._origin()
        path = f"/dns/zonefile/{origin.removesuffix('.')}"
        text = self.box.text(path)
        try:
            return parsed(text, origin)
        except ValueError as error:
            raise ObserveError(
                f"the zone {origin} of {self.box.where} is broken, so its name server goes on serving an older one: "
                f"{error}. Find the custom DNS record that does not belong there in its control panel, delete it, and "
                "plan again"
            ) from error

    def _origin(self) -> str:
        """The zone that the domain is in: its own, or one above it.

        Raises:
            ObserveError: the box has none.

        """
        zones = self.box.json("/dns/zones")
        if not isinstance(zones, list):
            raise self.box.unreadable("/dns/zones", "no list")
        found = [name for zone in zones if f".{self.domain}".endswith(f".{(name := owner_name(str(zone)))}")]
        if not found:
            raise ObserveError(
                f"{self.box.where} has no zone for {self.domain} yet: it makes one with the first mailbox or alias of "
                "the domain. Make one there and plan again; or, as long as another DNS host keeps the zone, name that "
                "one in `dns`"
            )
        return max(found, key=len)


def operations(
    rdtype: str, have: Mapping[str, str], wanted: frozenset[str], raw: Mapping[str, str] | None = None
) -> Iterator[Operation]:
    """From the custom records that there are to those that are wanted; what is new comes before what goes.

    A name and type that get one record get it in one step; not so TXT, where others may have added a text of their own
    since it was read. ``raw``: how records were written that are to stand again.
    """
    spelt = raw or {}
    new = sorted(wanted - have.keys(), key=lambda text: (not text.startswith("10 "), text))  # what replaces, first
    gone = sorted(have.keys() - wanted)
    if rdtype != "TXT" and len(wanted) == 1 and new:
        yield Operation("PUT", spelt.get(new[0]) or body(rdtype, new[0]))
        return
    for text in new:
        yield Operation("POST", spelt.get(text) or body(rdtype, text))
    for text in gone:
        yield Operation("DELETE", have[text])


def _normal(records: object, owner: str, rdtype: str, origin: str, served: RRset | None = None) -> dict[str, str]:
    """Custom records of a name and type, normal form to what the box has stored.

    Raises:
        ObserveError: the list is none.

    """
    name = owner.removesuffix(".")
    try:
        assert isinstance(records, list)
        values = [str(r["value"]) for r in records if r["rtype"] == rdtype and r["qname"].lower() == name]
    except (AssertionError, KeyError, TypeError, AttributeError) as error:
        raise ObserveError(
            f"the custom DNS records of {name} could not be read: {error!r}. Nothing was changed"
        ) from error
    found = {}
    for value in values:
        if value == "local":  # the box's own address
            others = set(values)
            found.update({text: value for text in (served.rdata if served else ()) if text not in others})
        else:
            found[_normal_value(rdtype, value, origin)] = value
    return found


def _normal_value(rdtype: str, value: str, origin: str) -> str:
    if rdtype == "TXT":
        return normal_rdata(rdtype, value.replace("\\", "\\\\"))
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, value, dns.name.from_text(origin), relativize=False)
    except (dns.exception.DNSException, ValueError):
        return value  # nothing that could be wanted; it can still be deleted as it is
    return text_of(rdata)


def _conflict(change: Change, zone: Zone) -> str | None:
    """A CNAME stands alone at its name (RFC 1034, section 3.6.2); the box would accept it and serve the old zone on."""
    owner, _, rdtype = change.address.name.rpartition(" ")
    beside = sorted(name for name in zone.rrsets if name.rpartition(" ")[0] == owner and name != change.address.name)
    if change.after and beside and (rdtype == "CNAME" or f"{owner} CNAME" in beside):
        return (
            f"there is {', '.join(beside)} at the name, and a CNAME must stand alone: its name server would stop there"
        )
    return None


def _said(rrset: object) -> str:
    return f"TTL {rrset.ttl} {{{', '.join(sorted(rrset.rdata))}}}" if isinstance(rrset, RRset) else "nothing"
