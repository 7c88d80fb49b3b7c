"""A zone behind its primary name server: read by transfer or questions, written by one UPDATE for each change."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.change import Change
from reconciler.model.event import NOBODY, Events
from reconciler.model.rrset import RRset
from reconciler.products.rfc2136.update import allow, send
from reconciler.transports.dns import authority
from reconciler.transports.dns.authority import Authority, normal
from reconciler.transports.dns.following import Written, follow
from reconciler.transports.dns.query import unreadable
from reconciler.transports.dns.server_address import Server
from reconciler.transports.dns.transfer import TransferRefused, transferred

Reading = Literal["auto", "axfr", "query"]

_FEW: Final = 8  # RRsets: to ask for so many costs less than a transfer
_PAUSE: Final = 0.05  # seconds between two readings of a write


@dataclass(slots=True)
class UpdatedZone:
    """``name_servers`` gives those that the world asks; ``wait`` is how long they may take to follow, 0 not to wait."""

    primary: Authority
    name_servers: Callable[[], Sequence[Server]]
    wait: timedelta
    reading: Reading = "auto"
    events: Events = NOBODY
    batch: int = 1

    def read(self, names: Collection[str] | None = None) -> Iterable[RRset]:
        """The zone as the primary has it; where it gives no transfer, the RRsets that are asked for."""
        if names is not None and (self.reading == "query" or (self.reading == "auto" and len(names) <= _FEW)):
            return authority.read(self.primary, names)
        if self.reading == "query":
            raise unreadable(self.primary.server, self.primary.zone, "is asked for single records only (`read: query`)")
        try:
            return transferred(self.primary)
        except TransferRefused as why:
            if names is None or self.reading == "axfr":
                raise unreadable(
                    self.primary.server,
                    self.primary.zone,
                    f"{why}; allow the transfer of the zone there (BIND: `allow-transfer`) with the key that is given",
                ) from why
        self.reading = "query"
        return authority.read(self.primary, names)

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """What each name server of the zone serves; one that does not answer is an error."""
        return authority.served(self._followers(), names)

    def write(self, changes: Sequence[Change], /) -> None:
        """Each by one UPDATE; done when the primary serves it and every name server has followed."""
        for change in changes:
            allow(change, self.primary.zone)
            self._write(change)
            written = self._read_back(change)
            if self.wait:
                follow(self._followers(), written, self.wait, self.events)

    def _write(self, change: Change) -> None:
        primary, name = replace(self.primary, tcp=True), change.address.name
        owner, _, rdtype = name.rpartition(" ")
        standing = primary.standing(name)
        if normal(name, standing) != change.before:
            raise StalePlan(
                f"{change.address} is no longer what the plan was made for: the primary {primary.server} has "
                f"{_said(normal(name, standing))} instead of {_said(change.before)}. Nothing was written; plan again"
            )
        if rdtype != "CNAME" and change.after and primary.standing(f"{owner} CNAME"):
            raise WriteError(
                f"{owner} is a CNAME in {primary.zone}, beside which there can be no {rdtype} (RFC 1034, section "
                "3.6.2). Nothing was written; remove the CNAME first"
            )
        send(primary, change, standing)

    def _read_back(self, change: Change) -> Written:
        """Until the primary serves what it accepted: one that signs the zone does so a moment later."""
        primary, name = replace(self.primary, tcp=True), change.address.name
        patience = time.monotonic() + primary.timeout
        try:
            while (stands := primary.rrset(name)) != change.after:
                if time.monotonic() > patience:
                    raise WriteError(
                        f"{name} was accepted by the primary {primary.server}, but it serves {_said(stands)} and not "
                        f"{_said(change.after)}: its log may say why; then plan again"
                    )
                time.sleep(_PAUSE)
            return Written(primary.serial(), name, stands)
        except ObserveError as error:
            raise WriteError(f"{name} was written, but could not be read back: {error}. Plan again") from error

    def _followers(self) -> list[Authority]:
        return [Authority(server, self.primary.zone, self.primary.timeout) for server in self.name_servers()]


def _said(rrset: object) -> str:
    return f"TTL {rrset.ttl} {{{', '.join(sorted(rrset.rdata))}}}" if isinstance(rrset, RRset) else "nothing"
