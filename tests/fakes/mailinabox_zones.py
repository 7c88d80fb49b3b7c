"""The zones of a Mail-in-a-Box, as the fake one makes them: its own records, the custom ones, and what breaks a zone.

Written from what version 75 was seen to do; the recorded answers hold it to that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import dns.exception
import dns.zone

TYPES = ("A", "AAAA", "CNAME", "TXT", "SRV", "MX", "SSHFP", "CAA", "NS")
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + "k" * 300 + "wIDAQAB"
DKIM = f"v=DKIM1; h=sha256; k=rsa; s=email; p={KEY}"
Record = tuple[str, str, str]


@dataclass
class Domains:
    """What a zone depends on: the domains that take mail, and those of them that have users."""

    mail: set[str]
    user: set[str]

    def zones(self, primary: str) -> list[str]:
        """The topmost ones, the box's own first."""
        every = self.mail | {primary}
        top = [d for d in every if not any(d != other and d.endswith(f".{other}") for other in every)]
        return sorted(top, key=lambda d: (d != primary, d))


@dataclass
class Zones:
    """``written`` are the zone files, ``served`` the last one of each that a name server could load."""

    primary: str
    address: str
    custom: list[Record] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    serial: int = 2026112200

    def records(self, domain: str, domains: Domains, *, is_zone: bool) -> list[Record]:
        """Everything at a domain, without what lies in domains of their own below it."""
        mine = [r for r in self.custom if r[0] == domain or r[0].endswith(f".{domain}")]
        below = [d for d in domains.mail if d.endswith(f".{domain}")]
        mine = [r for r in mine if not any(r[0] == d or r[0].endswith(f".{d}") for d in below)]
        found = [(q, t, self.address if v == "local" and t in {"A", "AAAA"} else v) for q, t, v in mine]
        if domain == self.primary:
            found = [r for r in found if (r[0], r[1]) not in {(domain, "A"), (domain, "AAAA")}]

        def has(name: str, rtype: str, begins: str = "") -> bool:
            return any(q == name and t == rtype and v.startswith(begins) for q, t, v in found)

        def add(name: str, rtype: str, value: str, *, unless: bool) -> None:
            if not unless:
                found.append((name, rtype, value))

        for name in self._hosts(domain, domains, is_zone=is_zone):
            add(name, "A", self.address, unless=has(name, "A") or has(name, "CNAME"))
        if domain in domains.mail:
            self._mail(domain, has, add)
        for name in ("caldavs", "carddavs") if domain in domains.user and domain != self.primary else ():
            srv = f"_{name}._tcp.{domain}"
            add(srv, "SRV", f"0 0 443 {self.primary}.", unless=has(srv, "SRV"))
        for name in sorted({q for q, t, _ in found if t in {"A", "AAAA"}}):
            if not has(name, "MX"):
                add(name, "TXT", "v=spf1 -all", unless=has(name, "TXT", "v=spf1 "))
                add(f"_dmarc.{name}", "TXT", "v=DMARC1; p=reject;", unless=has(f"_dmarc.{name}", "TXT", "v=DMARC1; "))
                add(name, "MX", "0 .", unless=False)
        return found

    def _hosts(self, domain: str, domains: Domains, *, is_zone: bool) -> list[str]:
        """The names that get the box's address."""
        names = ["ns1", "ns2"] if domain == self.primary else []
        names += ["www"] if is_zone else []
        names += ["mta-sts"] if domain in domains.mail else []
        names += ["autoconfig", "autodiscover"] if domain in domains.user else []
        return [domain, *(f"{name}.{domain}" for name in names)]

    def _mail(self, domain: str, has: Callable[..., bool], add: Callable[..., None]) -> None:
        add(domain, "MX", f"10 {self.primary}.", unless=has(domain, "MX", "10 "))
        add(domain, "TXT", "v=spf1 mx -all", unless=has(domain, "TXT", "v=spf1 "))
        key = f"mail._domainkey.{domain}"
        add(key, "TXT", DKIM, unless=has(key, "TXT", "v=DKIM1; "))
        dmarc = f"_dmarc.{domain}"
        add(dmarc, "TXT", "v=DMARC1; p=quarantine;", unless=has(dmarc, "TXT", "v=DMARC1; "))

    def dump(self, zone: str, domains: Domains) -> list[Record]:
        """A zone with the domains below it, sorted by its labels from the right; the NS records left out."""
        inside = [d for d in domains.mail if d.endswith(f".{zone}")]
        found = self.records(zone, domains, is_zone=True)
        for domain in sorted(inside):
            found += self.records(domain, domains, is_zone=False)
        return sorted(found, key=lambda r: r[0].split(".")[::-1])

    def write(self, domains: Domains, *, force: bool = False) -> str:
        """Write what has changed and have it loaded; the line that the API says of it.

        Raises:
            RuntimeError: a zone could not be signed; it and those after it are not loaded.

        """
        changed = []
        zones = domains.zones(self.primary)
        for zone in zones:
            body = "".join(self._line(zone, record) for record in self._all(zone, domains))
            if force or body != self.written.get(zone, "").partition(";;\n")[2]:
                self.serial += 1
                self.written[zone] = f"{self._head(zone)};;\n{body}"
                changed.append(zone)
        for zone in changed:
            if loadable(self.written[zone], zone):
                self.served[zone] = self.written[zone]
            elif not loadable(self.written[zone], zone, lenient=True):
                raise RuntimeError(zone)
        listed, self.listed = self.listed, tuple(zones)
        if not changed and listed != self.listed:
            changed = ["DNS configuration"]
        return f"updated DNS: {','.join(changed)}\n" if changed else ""

    def _all(self, zone: str, domains: Domains) -> Iterable[Record]:
        yield from ((zone, "NS", f"ns{number}.{self.primary}.") for number in (1, 2))
        yield from self.dump(zone, domains)

    def _head(self, zone: str) -> str:
        return (
            f"\n$ORIGIN {zone}.\n$TTL 86400          ; default time to live\n\n"
            f"@ IN SOA ns1.{self.primary}. hostmaster.{self.primary}. (\n {self.serial} 7200 3600 1209600 86400 )\n"
        )

    def _line(self, zone: str, record: Record) -> str:
        name, rtype, value = record
        label = "@" if name == zone else name.removesuffix(f".{zone}")
        if rtype == "TXT":
            chunks = [value[at : at + 255] for at in range(0, len(value), 255)]
            value = " ".join('"' + c.replace("\\", "\\\\").replace('"', '\\"') + '"' for c in chunks)
        return f"{label}\tIN\t{rtype}\t{value}\n"


def loadable(text: str, zone: str, *, lenient: bool = False) -> bool:
    """Whether a name server would load the zone; ``lenient``: whether the program that signs it would read it."""
    try:
        dns.zone.from_text(text, origin=f"{zone}.", relativize=False)
    except dns.exception.DNSException as error:
        return lenient and "CNAME" in str(error)
    except ValueError:
        return False
    return True
