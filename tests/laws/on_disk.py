"""A drawn world as files: the lines that people write, with other people's lines among them."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import strategies as st

from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec

HASH = "{SHA512-CRYPT}$6$saltsalt$" + "x" * 86
KEY = (
    rsa.generate_private_key(65537, 1024)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    .decode()
)
OTHERS_USERS = (
    "# comment",
    "",
    "root:x:0:0",
    ":odd:",
    "eve@example.net:{PLAIN}p:1:1:A:/h::userdb_quota_rule=*:bytes=7",
)
OTHERS_ALIASES = ("# comment", "", "a@example.net\tb@x.org,\n   c@x.org", "root me", "@example.net q")
OTHERS_DOMAINS = ("# ours", "", "example.net OK", "other.example\tyes")
OTHERS_RECORDS = ("", "; the rest", "shop\t60 IN CNAME shop.example.net.", "*.w 300 TXT x ; wild", "ns9 A 192.0.2.9")
OTHERS_TABLES = ("# a table", "", "other s1._domainkey.other.example")
OTHERS_LINES = frozenset(
    line
    for rows in (OTHERS_USERS, OTHERS_ALIASES, OTHERS_DOMAINS, OTHERS_RECORDS, OTHERS_TABLES)
    for row in rows
    for line in row.splitlines()
)
SOAS = (
    "@ IN SOA ns1.example.net. host.example.net. 2026010101 1h 15m 4w 300",
    "@\t7200 IN SOA ns1.example.net. host ( ; first\n\t2026010101 ; serial\n\t3600 900 ; (\n\t604800 300 )",
    "example.org. SOA ns1.example.net. host.example.net. ( 2026010101 1 2 3 4 ) ; last",
)


def with_files(spec: Spec, *, key: str | None = None) -> Spec:
    """The same move between servers that are files; ``key`` None: keys are generated."""
    keys = tuple(each.model_copy(update={"key": key, "bits": 1024}) for each in spec.new.dkim)
    return spec.model_copy(
        update={
            "old": spec.old.model_copy(update=_section("old")),
            "new": spec.new.model_copy(update={**_section("new"), "dkim": keys}),
            "dns": spec.dns.model_copy(update={"backend": "zonefile", "options": {"file": "example.org.zone"}}),
        }
    )


def offline(spec: Spec) -> Spec:
    """The same move without copy, probe and new accounts: there is nobody to ask, and no place for a new password."""
    known = tuple(m.model_copy(update={"old_mail": True, "password": "keep"}) for m in spec.mailboxes)
    return spec.model_copy(update={"mail_copy": None, "probe": None, "mailboxes": known})


def _section(name: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "passwd_file": f"{name}/users",
        "virtual_alias_maps": f"texthash:{name}/virtual",
        "virtual_mailbox_domains": f"texthash:{name}/domains",
        "mail_home": f"{name}/vmail/%d/%n",
    }
    if name == "new":
        options["opendkim"] = {
            "key_table": "new/KeyTable",
            "signing_table": "refile:new/SigningTable",
            "keys_dir": "new/keys",
        }
    return {"backend": "postfix_dovecot", "options": options}


def write_world(draw: st.DrawFn, folder: Path, world: Iterable[Resource]) -> None:
    """Every file that the options name, and mail and scripts that nobody asked about."""
    found = list(world)
    for place in (Place.OLD, Place.NEW):
        _write_server(draw, folder / place.value, [r for r in found if r.place is place])
    _put(folder / "example.org.zone", _zone(draw, [r for r in found if isinstance(r, RRset)]))
    _put(folder / "dkim.pem", KEY).chmod(0o600)


def _write_server(draw: st.DrawFn, folder: Path, found: list[Resource]) -> None:
    quotas = {r.name: r.size for r in found if isinstance(r, Quota)}
    users = [_user(draw, r, quotas) for r in found if isinstance(r, Mailbox)]
    aliases = [_alias(draw, r) for r in found if isinstance(r, Alias | CatchAll)]
    domains = [f"{r.name} OK" for r in found if isinstance(r, MailDomain)]
    _put(folder / "users", _among(draw, users, OTHERS_USERS))
    _put(folder / "virtual", _among(draw, aliases, OTHERS_ALIASES))
    _put(folder / "domains", _among(draw, domains, OTHERS_DOMAINS))
    if folder.name == "new":
        (folder / "keys").mkdir()
        _put(folder / "SigningTable", _among(draw, [], OTHERS_TABLES))
        if draw(st.booleans()):
            _put(folder / "KeyTable", "s1._domainkey.other.example other.example:s1:/etc/dkim/other.private\n")
    for script in (r for r in found if isinstance(r, SieveScript)):
        home = folder / "vmail" / "example.org" / script.name.partition("@")[0]
        _put(home / "sieve" / f"{script.script}.sieve", script.content)
        _put(home / "sieve" / "holiday.sieve", "discard;\n")  # not active
        (home / ".dovecot.sieve").symlink_to(f"sieve/{script.script}.sieve")
        _put(home / "Maildir" / "cur" / "1.M1P1.mail:2,S", "Subject: a message\n\nIt stays.\n")


def _user(draw: st.DrawFn, mailbox: Mailbox, quotas: dict[str, int]) -> str:
    quota = f"userdb_quota_rule=*:bytes={quotas[mailbox.name]}" if mailbox.name in quotas else ""
    home = draw(st.sampled_from(["", "/home/x"])) if mailbox.place is Place.OLD else ""
    full = f"{mailbox.name}:{HASH}:5:5:{mailbox.display_name}:{home}::{quota}"
    return full if quota or mailbox.display_name or draw(st.booleans()) else f"{mailbox.name}:{HASH}"


def _alias(draw: st.DrawFn, alias: Alias | CatchAll) -> str:
    name = f"@{alias.name}" if isinstance(alias, CatchAll) else alias.name
    spaces = draw(st.sampled_from([" ", "\t", "    "]))
    return name + spaces + draw(st.sampled_from([", ", ",", ",\n\t"])).join(sorted(alias.targets))


def _zone(draw: st.DrawFn, found: list[RRset]) -> str:
    records = ["\n".join(_records(draw, rrset)) for rrset in found]
    head = draw(st.sampled_from(["$TTL 3600\n", "$ORIGIN example.org.\n$TTL 1h ; usual\n", "; ours\n$TTL 900\n\n"]))
    return head + draw(st.sampled_from(SOAS)) + "\n" + _among(draw, records, OTHERS_RECORDS)


def _records(draw: st.DrawFn, rrset: RRset) -> Iterable[str]:
    relative = rrset.owner.removesuffix("example.org.").rstrip(".") or "@"
    owner = draw(st.sampled_from([relative, relative.upper(), rrset.owner]))
    ttl = draw(st.sampled_from([str(rrset.ttl), *(["1h"] if rrset.ttl == 3600 else [])]))
    quoted = rrset.rdtype == "TXT"
    for number, rdata in enumerate(sorted(rrset.rdata)):
        name = "" if number and draw(st.booleans()) else owner
        text = _text(draw, rdata) if quoted else rdata
        shape = draw(st.sampled_from(["{}", "( {} )", "(\n   {} ; why\n )", "{} ; why"]))
        gap = draw(st.sampled_from([" ", "\t", "   "]))
        yield gap.join([name, ttl, "IN", rrset.rdtype, shape.format(text)])


def _text(draw: st.DrawFn, text: str) -> str:
    middle = len(text) // 2 if draw(st.booleans()) else 0
    parts = [part for part in (text[:middle], text[middle:]) if part]
    return " ".join('"' + part.replace('"', '\\"') + '"' for part in parts)


def _among(draw: st.DrawFn, ours: list[str], others: tuple[str, ...]) -> str:
    """Our lines in any order among some of those of others."""
    some = draw(st.lists(st.sampled_from(others), unique=True))
    rows = draw(st.permutations([*ours, *some]))
    return "\n".join(rows) + draw(st.sampled_from(["\n", "\n", "\n\n"]))


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def is_subsequence(rows: list[str], of: list[str]) -> bool:
    """Whether all rows stand there still, in their order."""
    left = iter(of)
    return all(any(row == other for other in left) for row in rows)


def every_file(folder: Path) -> dict[str, bytes]:
    """Relative path to content; a link's content is where it points. Not the tool's own files, nor the spec."""
    paths = itertools.chain.from_iterable(sorted((folder / part).rglob("*")) for part in ("old", "new"))
    return {
        str(path.relative_to(folder)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in [*paths, folder / "example.org.zone"]
        if path.is_file() or path.is_symlink()
    }
