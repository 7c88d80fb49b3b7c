"""Where a server listens, as people write it: ``mail.example.org``, ``192.0.2.1:2525``, ``[2001:db8::1]:53``."""

import re
from ipaddress import ip_address
from typing import NamedTuple, Self

from reconciler.model.name import domain_name

_WRITTEN = re.compile(r"(?:\[(?P<literal>[^\]]*)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?\Z")
_HIGHEST_PORT = 65535


class Endpoint(NamedTuple):
    """A host name in normal form or an IP address, and a TCP or UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written, always with its port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, so that nobody has to be asked for one."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    @classmethod
    def parse(cls, text: str, port: int) -> Self:
        """The port is the given one, unless the text names another.

        Raises:
            ValueError: the text is not a host and a port.

        """
        written = text.strip()
        match = _WRITTEN.match(written)
        if match is None:
            return cls(_host(written, text), port)
        number = int(match["port"]) if match["port"] else port
        if not 1 <= number <= _HIGHEST_PORT:
            msg = f"{text!r} does not end in a port from 1 to {_HIGHEST_PORT}"
            raise ValueError(msg)
        return cls(_host(match["literal"] or match["host"] or "", text), number)


def _host(host: str, text: str) -> str:
    """In normal form. An IPv6 address holds colons, so that a port stands behind its brackets or not at all."""
    try:
        return str(ip_address(host))
    except ValueError:
        if not re.fullmatch(r"[0-9.]*", host) and ":" not in host:
            return domain_name(host)
    msg = f"{text!r} is not a server: expected a name or an IP address, and a port where it is not the usual one"
    raise ValueError(msg)
