"""A private NSD that serves zone files at any address of the loopback network, also at port 53.

BIND listens at the addresses of interfaces alone, of which 127.0.0.0/8 is one; and NS records name no port.
"""

from collections.abc import Mapping

from tests.lab.dns_daemon import DnsDaemon

_CONFIG = """
server:
    ip-address: {address}@{port}
    username: ""
    zonesdir: "{root}"
    database: ""
    pidfile: "{root}/pid"
    zonelistfile: "{root}/zone.list"
    xfrdfile: "{root}/xfrd.state"
    xfrdir: "{root}"
    server-count: 1
    minimal-responses: yes
remote-control:
    control-enable: no
"""


class NsdZones(DnsDaemon):
    """One nsd with its zones, name to content."""

    def __init__(self, zones: Mapping[str, str], address: str, port: int | None = None) -> None:
        super().__init__("nsd", "nsd", address, port)
        self.zones = dict(zones)

    def start(self) -> "NsdZones":
        config = _CONFIG.format(root=self.root, address=self.address, port=self.port)
        for name, text in self.zones.items():
            (self.root / f"{name}.zone").write_text(text)
            config += f'zone:\n    name: {name}\n    zonefile: "{name}.zone"\n'
        (self.root / "nsd.conf").write_text(config)
        self.run("-d", "-c", str(self.root / "nsd.conf"), ask=next(iter(self.zones)))
        return self
