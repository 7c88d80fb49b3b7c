"""The whole lab: two mail servers, a zone on two name servers, a resolver, and the world outside.

BIND is the primary of example.org under a TSIG key, NSD follows it, and the world looks things up through Unbound. The
old mail server has the domain, made by hand; the new one knows nothing of it.
"""

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from tests.lab.bind import Bind, TsigKey
from tests.lab.dovecot import MASTER
from tests.lab.loopback import SMTP, Loopback
from tests.lab.mail_server import MailServer
from tests.lab.nsd import Nsd
from tests.lab.sender import Sender
from tests.lab.unbound import Unbound

DOMAIN = "example.org"
PEOPLE = tuple(f"{name}@{DOMAIN}" for name in ("ann", "bob", "cleo", "dan", "eve", "finn"))
ALIASES = {
    f"info@{DOMAIN}": (f"ann@{DOMAIN}",),
    f"team@{DOMAIN}": (f"bob@{DOMAIN}", f"cleo@{DOMAIN}"),
    f"postmaster@{DOMAIN}": (f"ann@{DOMAIN}",),
    f"abuse@{DOMAIN}": (f"ann@{DOMAIN}",),
}
CATCH_ALL = f"dan@{DOMAIN}"
OLD_HOST, NEW_HOST = "mail.old.example", "mail.new.example"
_OUTSIDE, _OLD, _NEW = 1, 10, 20  # addresses in the lab's network
TTL_BEFORE, TTL_DURING = 4, 1  # seconds
SECRETS = "secrets"
"""The folder beside the spec whose files hold them."""

_ZONE = """\
$TTL {ttl}
@ IN SOA ns1 hostmaster 7 7200 3600 1209600 1
@ IN NS ns1
@ IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN MX 10 {exchange}.
mail IN A {old}
@ IN TXT "v=spf1 ip4:{old} include:_spf.newsletter.example ~all"
@ IN TXT "site-verification=4711"
_dmarc IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
www IN A 192.0.2.80
{dkim}
"""
_HOST = """\
$TTL 60
@ IN SOA ns1.{domain}. hostmaster 1 7200 3600 1209600 1
@ IN NS ns1.{domain}.
mail IN A {address}
"""


class MailLab:
    """Made, started, and removed as one.

    ``same_host``: the mail host keeps its name and gets another address. ``history``: how many messages each mailbox
    has from before the move.
    """

    def __init__(self, *, same_host: bool = False, history: int = 0) -> None:
        self.same_host = same_host
        self.history = dict.fromkeys(PEOPLE, history)
        self.net = Loopback()
        self.folder = Path(tempfile.mkdtemp(prefix="mail-lab-"))
        self.passwords = {person: secrets.token_urlsafe(18) for person in PEOPLE}
        self.key = TsigKey()
        self.old = MailServer(OLD_HOST, self.net.address(_OLD), {}, alias_domains=(OLD_HOST,))
        self.new = MailServer(NEW_HOST, self.net.address(_NEW), {OLD_HOST: f"{self.net.address(_OLD)}:{SMTP}"})
        for person in PEOPLE:
            self.old.fill(person, history)
        own = {person: person for person in PEOPLE}  # else the catch-all would take their mail
        sent_on = {alias: ", ".join(targets) for alias, targets in ALIASES.items()}
        by_host = {person.replace(DOMAIN, OLD_HOST): person for person in PEOPLE}
        self.hashes = self.old.serve(DOMAIN, self.passwords, own | sent_on | by_host | {f"@{DOMAIN}": CATCH_ALL})
        self.nsd = Nsd(DOMAIN)
        self.bind = Bind(
            {DOMAIN: self._zone(), "old.example": self._host(_OLD), "new.example": self._host(_NEW)},
            self.key,
            also_notify=[self.nsd],
        )
        self.unbound = Unbound({DOMAIN: [self.bind, self.nsd], "old.example": [self.bind], "new.example": [self.bind]})

    def _zone(self) -> str:
        key = self.old.opendkim.add_key(DOMAIN, "old2019")
        chunks = " ".join(f'"{key[start : start + 200]}"' for start in range(0, len(key), 200))
        return _ZONE.format(
            ttl=TTL_BEFORE, old=self.net.address(_OLD), domain=DOMAIN,
            exchange=f"mail.{DOMAIN}" if self.same_host else OLD_HOST, dkim=f"old2019._domainkey IN TXT {chunks}",
        )  # fmt: skip

    def _host(self, number: int) -> str:
        return _HOST.format(domain=DOMAIN, address=self.net.address(number))

    def start(self) -> "MailLab":
        self.bind.start()
        self.nsd.start(self.bind, self.key)
        self.unbound.start()
        self.old.start()
        self.new.start()
        return self

    def remove(self) -> None:
        parts = (self.old, self.new, self.unbound, self.nsd, self.bind)
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: part.remove(), parts))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.net.close()

    def sender(self) -> Sender:
        return Sender(self.unbound, self.outside)

    @property
    def outside(self) -> str:
        """The address of the world: neither server relays for it."""
        return self.net.address(_OUTSIDE)

    def spec(self) -> dict[str, Any]:
        """The move from the old server to the new one, at its first stage; secrets lie in files of their owner."""
        secret = self._secret("tsig", self.key.secret)
        exchange = {"old": OLD_HOST, "new": NEW_HOST}
        if self.same_host:
            exchange = dict.fromkeys(exchange, f"mail.{DOMAIN}")
        servers = {"old": self.old, "new": self.new}
        described = {
            side: {
                "backend": "postfix_dovecot",
                "options": server.options(),
                "mx": f"10 {exchange[side]}",
                "senders": [f"ip4:{server.address}"],
            }
            for side, server in servers.items()
        }
        described["old"]["dkim"], described["new"]["dkim"] = ["old2019"], ["new2026"]
        hosts = {f"mail.{DOMAIN}": {side: [server.address] for side, server in servers.items()}}
        return {
            "domain": DOMAIN,
            "stage": "prepare",
            **described,
            **({"hosts": hosts} if self.same_host else {}),
            "senders": ["include:_spf.newsletter.example"],
            "dns": {
                "backend": "rfc2136",
                "options": {
                    "server": self.bind.where,
                    "key_name": self.key.name,
                    "key_secret": secret,
                    "name_servers": [self.bind.where, self.nsd.where],
                    "timeout": 10,
                    "wait": "2m",
                },
            },
            "ttl": {"during": TTL_DURING},
            "dmarc": {"p": "quarantine"},
            "confirm": {"released_by_old_provider": True},
            "waits": {"quiet": "1s"},
            "copy": {
                "old": {
                    "host": "127.0.0.1",
                    "port": self.old.dovecot.tls_port,
                    "ca_file": str(self.old.root / "cert.pem"),
                },
                "new": {
                    "host": "127.0.0.1",
                    "port": self.new.dovecot.port,
                    "tls": "none",
                    "login": "master",
                    "master_user": MASTER[0],
                    "password": self._secret("master", MASTER[1]),
                },
                "may_be_empty": list(PEOPLE),
            },
            "mailboxes": [
                {
                    "address": person,
                    "forward_to": person.replace(DOMAIN, OLD_HOST),
                    "moved": False,
                    "old_password": self._secret(person, password),
                }
                for person, password in self.passwords.items()
            ],
            "aliases": {alias: list(targets) for alias, targets in ALIASES.items()},
            "catch_all": CATCH_ALL,
        }

    def _secret(self, name: str, value: str) -> str:
        """The reference to a secret in a file of its owner."""
        file = self.folder / SECRETS / name
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(value)
        file.chmod(0o600)
        return f"file:{file.relative_to(self.folder)}"

    def write_spec(self, spec: Mapping[str, Any]) -> Path:
        file = self.folder / "migration.yaml"
        file.write_text(yaml.safe_dump(dict(spec), sort_keys=False))
        return file

    def secrets(self) -> list[str]:
        """All that must never be seen: passwords, their hashes, the key of the zone."""
        return [*self.passwords.values(), *self.hashes, self.key.secret, MASTER[1]]

    def expand(self, recipient: str) -> tuple[str, ...]:
        """The mailboxes that get mail for an address."""
        return ALIASES.get(recipient) or ((recipient,) if recipient in PEOPLE else (CATCH_ALL,))

    def place(self, address: str) -> str:
        """Which server has it: old or new."""
        return {self.old.address: "old", self.new.address: "new"}[address]

    def logs(self) -> dict[str, str]:
        """Each daemon's log so far."""
        found = {"bind": self.bind.log(), "nsd": self.nsd.log(), "unbound": self.unbound.log()}
        for side, server in (("old", self.old), ("new", self.new)):
            found |= {f"{side} {name}": text for name, text in server.logs().items()}
        return found
