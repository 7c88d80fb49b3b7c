"""A small real world in a folder: two servers as Postfix and Dovecot files, a BIND zone file, and a spec for them."""

from pathlib import Path
from typing import Any

import yaml

ZONE = """\
$TTL 86400
@       IN SOA ns1.example.org. hostmaster.example.org. ( 2026010100 3600 900 604800 3600 )
        IN NS  ns1
        IN MX  10 mail.old.example.
        IN TXT "v=spf1 ip4:192.0.2.1 -all" ; only the old server
        IN TXT "some-verification=abc"
ns1     IN A   192.0.2.53
www     IN A   192.0.2.80
s1._domainkey IN TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"
_dmarc  IN TXT "v=DMARC1; p=none"
"""
HASH = "{SHA512-CRYPT}$6$rounds=5000$abcdefgh$" + "x" * 86


def write_world(folder: Path, **overrides: Any) -> Path:
    """Write everything and give the path of the spec; ``overrides`` replace top-level keys of it."""
    users = ("ann", "bob")
    lines = [f"{user}@example.org:{HASH}:5000:5000::/var/vmail/example.org/{user}::\n" for user in users]
    _server(
        folder / "old", "".join(lines), "info@example.org ann@example.org\npostmaster@example.org ann@example.org\n"
    )
    _server(folder / "new", "", "")
    (folder / "example.org.zone").write_text(ZONE)
    path = folder / "migration.yaml"
    write_spec(path, **overrides)
    return path


def write_spec(path: Path, **overrides: Any) -> None:
    """The spec alone, as after an edit."""
    spec: dict[str, Any] = {
        "domain": "example.org",
        "stage": "prepare",
        "old": {**_server_section("old"), "mx": ["10 mail.old.example"], "senders": ["ip4:192.0.2.1"], "dkim": ["s1"]},
        "new": {**_server_section("new"), "mx": ["10 mail.new.example"], "senders": ["ip4:198.51.100.1"]},
        "dns": {"backend": "zonefile", "options": {"file": "example.org.zone"}},
        "mailboxes": [
            {"address": "ann@example.org", "name": "Ann", "forward_to": "ann@old.example"},
            {"address": "bob@example.org", "moved": True, "forward_to": "bob@old.example"},
        ],
        "aliases": {
            "info@example.org": "ann@example.org",
            "postmaster@example.org": "ann@example.org",
            "abuse@example.org": "ann@example.org",
        },
        "confirm": {"released_by_old_provider": True},
        **overrides,
    }
    path.write_text(yaml.safe_dump(spec, sort_keys=False))


def _server_section(name: str) -> dict[str, Any]:
    options = {
        "passwd_file": f"{name}/passwd",
        "virtual_alias_maps": f"texthash:{name}/virtual",
        "virtual_mailbox_domains": f"{name}/domains",
        "mail_home": "home/%d/%n",
        "uid": 5000,
        "gid": 5000,
    }
    options["mail_home"] = f"{name}/home/%d/%n"
    return {"backend": "postfix_dovecot", "options": options}


def _server(folder: Path, accounts: str, aliases: str) -> None:
    folder.mkdir()
    (folder / "passwd").write_text(accounts)
    (folder / "virtual").write_text(aliases)
    (folder / "domains").write_text("example.org\n" if accounts else "")
