"""A zone that only a person can change: seen through its name servers."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.errors import ObserveError, WriteError
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.transports.dns import authority as dns_authority
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.following import behind


@dataclass(slots=True)
class ByHandZone:
    """``authorities`` gives the name servers of the zone, each to be asked by itself."""

    authorities: Callable[[], Sequence[Authority]]
    batch: int = 1

    def read(self, names: Collection[str] | None = None) -> Iterable[RRset]:
        """As the last of the name servers has it, of those that answer: a change is made when that one serves it."""
        authorities = self.authorities()
        if names is None:
            raise ObserveError(
                f"{authorities[0].zone} cannot be read as a whole: a name server tells a stranger only what it is "
                "asked for"
            )
        return dns_authority.read(_last(authorities), names)

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """What each name server serves; one that does not answer is an error."""
        return dns_authority.served(self.authorities(), names)

    def write(self, changes: Sequence[Change], /) -> None:
        """There is no way.

        Raises:
            WriteError: always.

        """
        raise WriteError(
            f"{', '.join(str(change.address) for change in changes)}: this zone is changed by hand, where it is kept; "
            "the plan says what to type"
        )


def _last(authorities: Sequence[Authority]) -> Authority:
    """The one with the earliest serial, the first of several.

    Raises:
        ObserveError: none answers.

    """
    with ThreadPoolExecutor(max_workers=len(authorities)) as pool:
        serials = list(pool.map(_serial, authorities))
    last: tuple[Authority, int] | None = None
    for authority, serial in zip(authorities, serials, strict=True):
        if isinstance(serial, int) and (last is None or behind(serial, last[1])):
            last = authority, serial
    if last is None:
        raise next(serial for serial in serials if isinstance(serial, ObserveError))
    return last[0]


def _serial(authority: Authority) -> int | ObserveError:
    try:
        return authority.serial()
    except ObserveError as error:
        return error
