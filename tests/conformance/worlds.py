"""For every backend that exists: a product with foreign things in it, opened; and what each kind looks like."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.extend import Backend, Context, Opened
from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.ports import Secrets
from reconciler.products.mailinabox import dns as mailinabox_zone
from reconciler.products.mailinabox import server as mailinabox_server
from reconciler.products.manual import dns as manual
from reconciler.products.memory import dns as memory_zone
from reconciler.products.memory import server as memory_server
from reconciler.products.postfix_dovecot import server as postfix_dovecot
from reconciler.products.rfc2136 import dns as rfc2136
from reconciler.products.zonefile import dns as zonefile
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript
from tests.fakes.mailinabox import FakeBox
from tests.lab.bind import Bind, TsigKey
from tests.support.clock import FakeClock

EXAMPLES = Path(__file__).parents[2] / "examples"
ANN, BOB, CLEO = (f"{name}@example.org" for name in ("ann", "bob", "cleo"))


class Known:
    """Secrets that the test knows."""

    def __init__(self, secret: str = "{PLAIN}known") -> None:
        self._secret = secret

    def reveal(self, reference: str, /) -> Secret:
        return Secret(self._secret)


@dataclass(frozen=True)
class Case:
    """A resource in three values, and what must be there before it."""

    first: Resource
    second: Resource | None = None
    before: tuple[Resource, ...] = ()


def _box(name: str, **fields: object) -> Mailbox:
    return Mailbox(place=Place.NEW, name=name, **fields)


DOMAIN = MailDomain(place=Place.NEW, name="example.org")
ANN_BOX, BOB_BOX = _box(ANN, password=f"keep:{ANN}"), _box(BOB, password=f"keep:{BOB}")
SCRIPT = (
    'require ["copy"];\r\n# rule:[Forward to x.example and retain]\r\n'
    'if true\r\n{\r\n\tredirect :copy "a@x.example";\r\n}\r\n'
)

SERVER_CASES = {
    "domain": Case(DOMAIN),
    "mailbox": Case(ANN_BOX, _box(ANN, display_name="Ann, of the office"), (DOMAIN,)),
    "quota": Case(
        Quota(place=Place.NEW, name=ANN, size=5 * 1024**3), Quota(place=Place.NEW, name=ANN, size=0), (DOMAIN, ANN_BOX)
    ),
    "alias": Case(
        Alias(place=Place.NEW, name="info@example.org", targets=frozenset({ANN})),
        Alias(place=Place.NEW, name="info@example.org", targets=frozenset({ANN, "x@elsewhere.example"})),
        (DOMAIN, ANN_BOX),
    ),
    "catch_all": Case(
        CatchAll(place=Place.NEW, name="example.org", targets=frozenset({ANN})),
        CatchAll(place=Place.NEW, name="example.org", targets=frozenset({BOB})),
        (DOMAIN, ANN_BOX, BOB_BOX),
    ),
    "sieve": Case(
        SieveScript(place=Place.NEW, name=ANN, script="roundcube", content=SCRIPT),
        SieveScript(place=Place.NEW, name=ANN, script="roundcube", content="keep;\r\n"),
        (DOMAIN, ANN_BOX),
    ),
    "dkim_key": Case(
        DkimKey(place=Place.NEW, name="s1._domainkey.example.org", source="generate", bits=1024), None, (DOMAIN,)
    ),
}
DNS_CASES = {
    "mx": Case(
        RRset.of("example.org", "MX", 300, "10 mail.new.example."),
        RRset.of("example.org", "MX", 3600, "10 mail.new.example.", "20 b.new.example."),
    ),
    "long txt": Case(
        RRset.of("k._domainkey.example.org", "TXT", 300, "v=DKIM1; k=rsa; p=" + "A" * 600),
        RRset.of("k._domainkey.example.org", "TXT", 300, 'a "quoted" \\\\ text; with \\195\\164'),
    ),
    "address": Case(
        RRset.of("host.example.org", "AAAA", 60, "2001:db8::1"),
        RRset.of("host.example.org", "AAAA", 60, "2001:db8::1", "2001:db8::2"),
    ),
    "wildcard": Case(RRset.of("*.example.org", "MX", 60, "0 .")),
}
NEW_ANN, NEW_BOB = _box(ANN, password="env:PASSWORD"), _box(BOB, password="env:PASSWORD")
OWN_SERVER_CASES = {
    "mailinabox": {  # takes passwords and no hashes, no quota for 0; the rest is by hand
        "mailbox": Case(NEW_ANN),
        "quota": Case(
            Quota(place=Place.NEW, name=ANN, size=5 * 1024**3),
            Quota(place=Place.NEW, name=ANN, size=100 * 1024**2 + 1),
            (NEW_ANN,),
        ),
        "alias": replace(SERVER_CASES["alias"], before=(NEW_ANN,)),
        "catch_all": replace(SERVER_CASES["catch_all"], before=(NEW_ANN, NEW_BOB)),
    }
}
OWN_DNS_CASES = {
    "mailinabox": {  # one TTL for all, ASCII only, and an MX of its own at every mail domain
        "mx": Case(
            RRset.of("lists.example.org", "MX", 86400, "20 mail.new.example."),
            RRset.of("lists.example.org", "MX", 86400, "10 mail.new.example.", "20 b.new.example."),
        ),
        "long txt": Case(
            RRset.of("k._domainkey.example.org", "TXT", 86400, "v=DKIM1; k=rsa; p=" + "A" * 600),
            RRset.of("k._domainkey.example.org", "TXT", 86400, 'a "quoted" \\\\ text; and more'),
        ),
        "two texts": Case(RRset.of("verify.example.org", "TXT", 86400, "site-verification=2", "another=1")),
        "address": Case(
            RRset.of("host.example.org", "AAAA", 86400, "2001:db8::1"),
            RRset.of("host.example.org", "AAAA", 86400, "2001:db8::1", "2001:db8::2"),
        ),
        "wildcard": Case(RRset.of("*.example.org", "MX", 86400, "0 .")),
    }
}

ZONE = """\
$ORIGIN example.org.
$TTL 3600
@ IN SOA ns1.example.net. h.example.net. 7 7200 3600 1209600 3600
  IN NS ns1.example.net.
  IN TXT "site-verification=1" ; ours is not the only string here
www IN A 192.0.2.80
"""


def context(base: Path, place: Place = Place.NEW, secrets: Secrets | None = None) -> Context:
    return Context(place, "example.org", base, secrets or Known(), FakeClock())


def _memory_server(base: Path) -> Opened:
    return memory_server.open_memory(memory_server.MemoryServerOptions(), context(base))


def _postfix_dovecot(base: Path) -> Opened:
    shutil.copytree(EXAMPLES / "quickstart" / "new", base / "new")
    options = {
        "passwd_file": "new/users",
        "virtual_alias_maps": "new/virtual",
        "virtual_mailbox_domains": "new/domains",
        "map_type": "texthash",
        "mail_home": "new/vmail/%d/%n",
        "opendkim": {
            "key_table": "new/opendkim/KeyTable",
            "signing_table": "new/opendkim/SigningTable",
            "keys_dir": "new/opendkim/keys",
        },
    }
    backend = postfix_dovecot.BACKEND
    return backend.open(backend.options.model_validate(options), context(base))


def _memory_zone(base: Path) -> Opened:
    records = [{"owner": "www.example.org", "type": "A", "ttl": 3600, "rdata": ["192.0.2.80"]}]
    options = memory_zone.MemoryZoneOptions.model_validate({"records": records})
    return memory_zone.open_memory(options, context(base, Place.DNS))


def _zonefile(base: Path) -> Opened:
    (base / "zone").write_text(ZONE)
    backend = zonefile.BACKEND
    return backend.open(backend.options.model_validate({"file": "zone"}), context(base, Place.DNS))


def _rfc2136(base: Path) -> Opened:
    key = TsigKey()
    primary = Bind({"example.org": ZONE}, key).start()
    options = {
        "server": primary.where,
        "key_name": key.name,
        "key_secret": "env:KEY",
        "name_servers": [primary.where],
    }
    backend = rfc2136.BACKEND
    opened = backend.open(backend.options.model_validate(options), context(base, Place.DNS, Known(key.secret)))
    return replace(opened, close=primary.remove)


def _manual(base: Path) -> Opened:
    backend = manual.BACKEND
    nobody = backend.options.model_validate({"name_servers": ["127.0.0.1:1"]})
    return backend.open(nobody, context(base, Place.DNS))


def _mailinabox(base: Path, backend: Backend, place: Place, **options: object) -> Opened:
    fake = FakeBox(FakeClock())
    fake.state.add_user({"email": "zoe@example.org", "password": "Zoe-Pass-1", "quota": "1G"})
    fake.state.add_alias({"address": "sales@example.org", "forwards_to": "zoe@example.org"})
    fake.state.zones.custom.append(("www.example.org", "A", "192.0.2.80"))
    fake.state.write_zones()
    given = {"url": fake.url, "email": fake.admin, "password": "env:PASSWORD", **options}
    opened = backend.open(backend.options.model_validate(given), context(base, place, Known("AdminPass-123")))

    def close() -> None:
        opened.close()
        fake.stop()

    return replace(opened, close=close)


def _mailinabox_server(base: Path) -> Opened:
    return _mailinabox(base, mailinabox_server.BACKEND, Place.NEW)


def _mailinabox_zone(base: Path) -> Opened:
    return _mailinabox(base, mailinabox_zone.BACKEND, Place.DNS, wait=0)


SERVERS: dict[str, Callable[[Path], Opened]] = {
    "mailinabox": _mailinabox_server,
    "memory": _memory_server,
    "postfix_dovecot": _postfix_dovecot,
}
ZONES: dict[str, Callable[[Path], Opened]] = {
    "mailinabox": _mailinabox_zone,
    "memory": _memory_zone,
    "zonefile": _zonefile,
    "rfc2136": _rfc2136,
}
BY_HAND: dict[str, Callable[[Path], Opened]] = {"manual": _manual}
NEED_DAEMONS = {"rfc2136"}


def reading(opened: Opened) -> set[Resource]:
    return {resource for store in opened.stores.values() for resource in store.read()}


def names(resources: Iterable[Resource]) -> set[str]:
    return {resource.name for resource in resources}
