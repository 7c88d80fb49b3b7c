"""A private NSD: the second name server of a zone, which follows its primary by NOTIFY and transfer."""

from tests.lab.bind import TsigKey
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
    xfrd-reload-timeout: 0
    verbosity: 1
remote-control:
    control-enable: no
key:
    name: {key.name}
    algorithm: {key.algorithm}
    secret: "{key.secret}"
zone:
    name: {zone}
    zonefile: "{zone}.zone"
    request-xfr: {primary} {key.name}
    allow-notify: 127.0.0.0/8 NOKEY
"""


class Nsd(DnsDaemon):
    """One nsd. It is made before its primary, which must know where to send NOTIFY, and started after it."""

    def __init__(self, zone: str = "example.org", address: str = "127.0.0.1", port: int | None = None) -> None:
        super().__init__("nsd", "nsd", address, port)
        self.zone = zone

    def start(self, primary: DnsDaemon, key: TsigKey) -> "Nsd":
        config = _CONFIG.format(
            root=self.root,
            address=self.address,
            port=self.port,
            key=key,
            zone=self.zone,
            primary=f"{primary.address}@{primary.port}",
        )
        (self.root / "nsd.conf").write_text(config)
        (self.root / "nsd.conf").chmod(0o600)
        self.run("-d", "-c", str(self.root / "nsd.conf"), ask=self.zone)
        return self
