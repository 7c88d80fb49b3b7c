"""Where a name server listens: as people write it, and as the NS records of a zone say it."""

import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import AfterValidator

from reconciler.errors import ObserveError

DOMAIN_PORT: Final = 53
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Server:
    """One name server at one address; ``label`` is what the journal and messages call it."""

    label: str
    address: str
    port: int = DOMAIN_PORT

    def __str__(self) -> str:
        """Its name, and where it was asked unless the name says so."""
        return self.label if self.address in self.label else f"{self.label} ({self.address} port {self.port})"


def host_and_port(text: str, port: int = DOMAIN_PORT) -> tuple[str, int]:
    """``ns1.example.net``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``, in its two parts.

    Raises:
        ValueError: it is none of these.

    """
    host, colon, number = text.strip().rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        host, colon = text, ""
    elif not colon or (":" in host and not host.startswith("[")):
        host, colon = text.strip(), ""
    if host.startswith("[") and host.endswith("]"):
        host = str(ip_address(host[1:-1]))
    if colon:
        if not (number.isascii() and number.isdigit() and int(number) in _PORTS):
            raise ValueError(f"{text!r} does not end in a port from 1 to 65535")
        port = int(number)
    if not host or any(character.isspace() or character in "[]/@" for character in host):
        raise ValueError(f"{text!r} is not a name server: a name or address, and a port where it is not 53")
    return host, port


def _written_well(text: str) -> str:
    host_and_port(text)
    return text.strip()


ServerText = Annotated[str, AfterValidator(_written_well)]
"""A name server as options hold it."""


def found(text: str, port: int = DOMAIN_PORT, label: str | None = None) -> Server:
    """The server that a person wrote down, by its first address.

    Raises:
        ObserveError: its name has no address.

    """
    host, port = host_and_port(text, port)
    return Server(label or text.strip(), _addresses(host, port)[0], port)


def of_records(hosts: Iterable[str], port: int = DOMAIN_PORT) -> tuple[Server, ...]:
    """Every name server of NS records, once for each address that this machine can reach; sorted.

    An IPv6 address is left out where this machine has no IPv6 and the name has an IPv4 address too.

    Raises:
        ObserveError: one of the names has no address.

    """
    return tuple(
        Server(f"{host.removesuffix('.')} ({address})", address, port)
        for host in sorted(hosts)
        for address in _addresses(host, port)
    )


def _addresses(host: str, port: int) -> list[str]:
    """Those that there is a route to; at least one."""
    try:
        answers = socket.getaddrinfo(host.removesuffix("."), port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ObserveError(
            f"the name server {host} cannot be asked, because its name has no address here ({why}): caches may hold "
            "what it serves. Mend the name, or list the name servers with their addresses in `name_servers`"
        ) from error
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in answers))
    return sorted(filter(_reachable, addresses)) or addresses


def _reachable(address: str) -> bool:
    """Whether there is a route; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as plug:
        plug.connect((address, DOMAIN_PORT))
        return True
    return False
