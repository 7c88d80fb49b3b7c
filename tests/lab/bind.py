"""A private BIND: the authoritative primary of zones that are changed by RFC 2136 updates under a TSIG key."""

import base64
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.lab.dns_daemon import DnsDaemon

ZONE = """\
$TTL 3600
@ IN SOA ns1 hostmaster 7 7200 3600 1209600 3600
@ IN NS ns1
@ IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN TXT "site-verification=1"
www IN A 192.0.2.80
"""

_CONFIG = """
options {{
    directory "{root}";
    pid-file "{root}/pid";
    session-keyfile "{root}/session.key";
    lock-file none;
    listen-on port {port} {{ {address}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify {notify};
    also-notify {{ {also_notify} }};
    notify-delay 0;
    dnssec-validation no;
    empty-zones-enable no;
    {options}
}};
controls {{ }};
{keys}
{zones}
"""
_ZONE = """
zone "{name}" {{
    type primary;
    file "{name}.zone";
    allow-update {{ {update} }};
    allow-transfer {{ {transfer} }};
    {extra}
}};
"""


@dataclass(frozen=True)
class TsigKey:
    """A shared secret and what both sides call it."""

    name: str = "reconciler"
    algorithm: str = "hmac-sha256"
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode(), repr=False)

    def clause(self) -> str:
        return f'key "{self.name}" {{ algorithm {self.algorithm}; secret "{self.secret}"; }};'


class Bind(DnsDaemon):
    """One named. ``keys`` may update and transfer, unless ``update`` and ``transfer`` say who may (``none;``).

    ``switches``: named's own for tests, such as ``-T noaa``.
    """

    def __init__(
        self,
        zones: Mapping[str, str] | None = None,
        *keys: TsigKey,
        also_notify: Sequence[DnsDaemon] = (),
        transfer: str | None = None,
        update: str | None = None,
        switches: Sequence[str] = (),
        options: str = "",
        zone_options: str = "",
        address: str = "127.0.0.1",
        port: int | None = None,
    ) -> None:
        super().__init__("named", "bind9", address, port)
        self.zones = dict(zones or {"example.org": ZONE})
        self.keys = keys or (TsigKey(),)
        self.followers = tuple(also_notify)
        self.transfer, self.update, self.switches = transfer, update, tuple(switches)
        self.options, self.zone_options = options, zone_options
        for name, text in self.zones.items():
            (self.root / f"{name}.zone").write_text(text)

    def start(self) -> "Bind":
        by_key = " ".join(f'key "{key.name}";' for key in self.keys)
        notified = " ".join(f"{server.address} port {server.port};" for server in self.followers)
        zones = [
            _ZONE.format(
                name=name, update=self.update or by_key, transfer=self.transfer or by_key, extra=self.zone_options
            )
            for name in self.zones
        ]
        config = _CONFIG.format(
            root=self.root,
            address=self.address,
            port=self.port,
            notify="explicit" if notified else "no",
            also_notify=notified,
            options=self.options,
            keys="\n".join(key.clause() for key in self.keys),
            zones="\n".join(zones),
        )
        (self.root / "named.conf").write_text(config)
        self.run("-g", "-n", "1", *self.switches, "-c", str(self.root / "named.conf"), ask=next(iter(self.zones)))
        return self

    def nsupdate(self, *lines: str, key: TsigKey | None = None) -> None:
        """What an administrator types into nsupdate; the key is read from a file, never from the arguments."""
        file = self.root / "nsupdate.key"
        file.write_text((key or self.keys[0]).clause())
        program = shutil.which("nsupdate")
        assert program, "these tests need the package bind9-dnsutils: make test installs it"
        script = "\n".join([f"server {self.address} {self.port}", *lines, "send", ""])
        done = subprocess.run([program, "-k", file], input=script.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
