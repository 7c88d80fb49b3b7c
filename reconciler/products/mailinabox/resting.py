"""What rests on the addresses of a domain: a box keeps its zone, and signs its mail, only while it has one of them.

Pure. Source: Mail-in-a-Box 75, management/dns_update.py, get_dns_zones; seen on a real box.
"""

from functools import partial

from reconciler.extend import Rests
from reconciler.model.address import Address, Place
from reconciler.model.resource import State
from reconciler.model.rrset import RRset, rrset_name
from reconciler.products.mailinabox.names import is_automatic

_ADDRESSES = frozenset({"mailbox", "alias", "catch_all"})


def rests(place: Place, domain: str, host: str) -> Rests:
    """For a box that is called ``host`` and serves zones as ns1. and ns2. of it."""
    return partial(_goes, place, domain, host)


def _goes(place: Place, domain: str, host: str, before: State, after: State, *, keeps_zone: bool) -> str | None:
    """Why the last address of the domain stays; None where there is another one, or the zone is kept elsewhere."""
    if not _has_address(place, domain, before) or _has_address(place, domain, after):
        return None
    servers = before.get(Address(Place.DNS, RRset.kind, rrset_name(domain, "NS")))
    own = {f"ns{number}.{host}." for number in (1, 2)}
    if not keeps_zone and isinstance(servers, RRset) and not servers.rdata & own:
        return None
    known = keeps_zone or isinstance(servers, RRset)
    doubt = "" if known else ", if it is this box that serves it, which cannot be seen"
    return (
        f"with the last address of {domain} the box gives up the zone of {domain}{doubt}: its MX and every other "
        "record would be gone; first let another DNS host serve the zone, or leave one address on the box"
    )


def _has_address(place: Place, domain: str, state: State) -> bool:
    """One that people have made: those that the box makes go with the last of these."""
    at = f"@{domain}"
    of_domain = (a for a in state if a.place is place and a.kind in _ADDRESSES)
    return any(a.name == domain or (a.name.endswith(at) and not is_automatic(a.name)) for a in of_domain)
