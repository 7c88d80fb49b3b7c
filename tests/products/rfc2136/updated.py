"""A zone behind a real primary and the name servers that follow it, opened as a spec would open it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.extend import Context, Opened
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.event import NOBODY, Events
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.products.rfc2136 import dns as rfc2136
from tests.lab.bind import Bind, TsigKey
from tests.lab.dns_daemon import DnsDaemon
from tests.support.clock import FakeClock

MX = "example.org. MX"
OLD = RRset.of("example.org", "MX", 3600, "10 mail.old.example.")
NEW = RRset.of("example.org", "MX", 300, "10 mail.new.example.")


class Known:
    """The one secret of the test."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def reveal(self, reference: str, /) -> Secret:
        return Secret(self.secret)


def context(secret: str = "", events: Events = NOBODY) -> Context:
    return Context(Place.DNS, "example.org", Path("/nowhere"), Known(secret), FakeClock(), events)


def opened(
    primary: DnsDaemon,
    key: TsigKey | None,
    name_servers: Sequence[DnsDaemon] = (),
    *,
    events: Events = NOBODY,
    **more: Any,
) -> Opened:
    options: dict[str, Any] = {"server": primary.where, "timeout": 2, "wait": 5}
    if key:
        options |= {"key_name": key.name, "key_algorithm": key.algorithm, "key_secret": "env:KEY"}
    options["name_servers"] = [server.where for server in (name_servers or [primary])]
    backend = rfc2136.BACKEND
    return backend.open(backend.options.model_validate(options | more), context(key.secret if key else "", events))


def make(bind: Bind, after: RRset, **more: Any) -> RRset:
    opened(bind, bind.keys[0], **more).stores["rrset"].write([Change(None, after)])
    return after


def standing(product: Opened, name: str = MX) -> RRset | None:
    found: Mapping[str, RRset] = {rrset.name: rrset for rrset in product.stores["rrset"].read({name})}
    return found.get(name)
