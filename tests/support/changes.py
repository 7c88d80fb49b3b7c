"""One change of each sort that a move makes, by name: a check's test says exactly which of them it holds back."""

from reconciler.extend import Check
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript

DOMAIN = "example.org"
ANN = f"ann@{DOMAIN}"
OLD_MX, NEW_MX = "10 mx.old.example.", "10 mx.new.example."
OLD_SPF = "v=spf1 ip4:192.0.2.1 -all"
BOTH_SPF = "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 ~all"
NEW_SPF = "v=spf1 ip4:198.51.100.1 -all"
KEY = "v=DKIM1; k=rsa; p=AAAA"


def mx(*rdata: str, ttl: int = 300) -> RRset:
    return RRset.of(DOMAIN, "MX", ttl, *(rdata or (OLD_MX,)))


def txt(*texts: str, ttl: int = 300, owner: str = DOMAIN) -> RRset:
    return RRset.of(owner, "TXT", ttl, *texts)


def address(host: str, text: str, ttl: int = 300) -> RRset:
    return RRset.of(host, "AAAA" if ":" in text else "A", ttl, text)


def mailbox(place: Place = Place.NEW, name: str = ANN, password: str | None = None) -> Mailbox:
    return Mailbox(place=place, name=name, password=password)


def alias(place: Place, name: str, *targets: str) -> Alias:
    return Alias(place=place, name=name, targets=frozenset(targets))


def catch_all(place: Place, *targets: str) -> CatchAll:
    return CatchAll(place=place, name=DOMAIN, targets=frozenset(targets))


def forward(target: str, name: str = ANN, *, place: Place = Place.NEW, on: bool = True) -> SieveScript:
    """Our rule as Roundcube writes it, switched on or, by the user, off."""
    condition = "true" if on else "false # true"
    content = (
        f'require ["copy"];\n# rule:[Forward to old and retain]\nif {condition}\n{{\n\tredirect :copy "{target}";\n}}\n'
    )
    script = SieveScript(place=place, name=name, script="roundcube", content=content)
    assert script.switched_off is not on
    return script


def make(after: Resource) -> Change:
    return Change(None, after)


def remove(before: Resource) -> Change:
    return Change(before, None)


CHANGES = {
    "mailbox made, password kept": make(mailbox(password=f"keep:{ANN}")),
    "mailbox made, password generated": make(mailbox(password=f"generate:{ANN}")),
    "old mailbox removed": remove(mailbox(Place.OLD)),
    "quota made": make(Quota(place=Place.NEW, name=ANN, size=1)),
    "domain made": make(MailDomain(place=Place.NEW, name=DOMAIN)),
    "alias made": make(alias(Place.NEW, f"info@{DOMAIN}", ANN)),
    "old alias removed": remove(alias(Place.OLD, f"info@{DOMAIN}", ANN)),
    "alias removed": remove(alias(Place.NEW, f"info@{DOMAIN}", ANN)),
    "catch-all made": make(catch_all(Place.NEW, ANN)),
    "catch-all removed": remove(catch_all(Place.NEW, ANN)),
    "forward made": make(forward("ann@old.example")),
    "forward removed": remove(forward("ann@old.example")),
    "forward ends in a script that stays": Change(
        forward("ann@old.example"), SieveScript(place=Place.NEW, name=ANN, script="roundcube", content="keep;\n")
    ),
    "key made": make(DkimKey(place=Place.NEW, name=f"s2._domainkey.{DOMAIN}", source="generate", bits=2048)),
    "key record made": make(txt(KEY, owner=f"s2._domainkey.{DOMAIN}")),
    "key record removed": remove(txt(KEY, owner=f"s1._domainkey.{DOMAIN}")),
    "MX TTL lowered": Change(mx(ttl=86400), mx()),
    "MX TTL raised": Change(mx(), mx(ttl=86400)),
    "MX turned": Change(mx(), mx(NEW_MX)),
    "MX turned and TTL raised": Change(mx(NEW_MX), mx(ttl=86400)),
    "A turned": Change(address("mail.example.org", "192.0.2.1"), address("mail.example.org", "198.51.100.1")),
    "AAAA made": make(address("mail.example.org", "2001:db8::1")),
    "SPF widened": Change(txt(OLD_SPF, "site=1"), txt(BOTH_SPF, "site=1")),
    "SPF TTL lowered": Change(txt(OLD_SPF, ttl=86400), txt(OLD_SPF)),
    "DMARC tightened": Change(
        txt("v=DMARC1; p=none", owner=f"_dmarc.{DOMAIN}"), txt("v=DMARC1; p=reject", owner=f"_dmarc.{DOMAIN}")
    ),
}

TURNS = {"MX turned", "MX turned and TTL raised", "A turned", "AAAA made"}
RECORDS = {name for name, change in CHANGES.items() if isinstance(change.subject, RRset)}


def gated(check: Check) -> set[str]:
    """The names of the changes that the check holds back."""
    return {name for name, change in CHANGES.items() if check.gates(change)}
