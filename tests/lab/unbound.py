"""A private Unbound: the resolver through which the outside world looks things up, so that TTLs are felt."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from tests.lab.dns_daemon import DnsDaemon

_CONFIG = """
server:
    interface: {address}@{port}
    access-control: 127.0.0.0/8 allow
    username: ""
    chroot: ""
    directory: "{root}"
    pidfile: "{root}/pid"
    use-syslog: no
    logfile: ""
    do-daemonize: no
    do-not-query-localhost: no
    do-ip6: no
    module-config: "iterator"
    num-threads: 1
    local-zone: "." static
{local_zones}
remote-control:
    control-enable: yes
    control-interface: {root}/control
    control-use-cert: no
{stubs}
"""


class Unbound(DnsDaemon):
    """One unbound that knows nothing but the zones it is given, each with its name servers."""

    def __init__(
        self, zones: Mapping[str, Sequence[DnsDaemon]], address: str = "127.0.0.1", port: int | None = None
    ) -> None:
        super().__init__("unbound", "unbound", address, port)
        self.zones = dict(zones)

    def start(self) -> "Unbound":
        stubs = [
            "\n    ".join(["stub-zone:", f'name: "{zone}"', *(f"stub-addr: {at.address}@{at.port}" for at in servers)])
            for zone, servers in self.zones.items()
        ]
        config = _CONFIG.format(
            root=self.root,
            address=self.address,
            port=self.port,
            local_zones="\n".join(f'    local-zone: "{zone}" transparent' for zone in self.zones),
            stubs="\n".join(stubs),
        )
        (self.root / "unbound.conf").write_text(config)
        self.run("-d", "-c", str(self.root / "unbound.conf"), ask=next(iter(self.zones)))
        return self

    def looked_up(self, name: str, rdtype: str) -> set[str]:
        """What the world sees now, from the cache while its TTL lasts."""
        return self.answers(name, rdtype, recurse=True)

    def forget(self) -> None:
        """Empty the cache."""
        found = shutil.which("unbound-control", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert found, "these tests need the package unbound: make test installs it"
        subprocess.run([found, "-c", self.root / "unbound.conf", "flush_zone", "."], check=True, capture_output=True)
