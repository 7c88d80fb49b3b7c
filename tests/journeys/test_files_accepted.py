"""What Debian's own programs say of every file, after every stage of a whole move."""

import base64
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives import serialization

from reconciler.model.stage import Stage
from tests.lab.dovecot import kill
from tests.lab.patience import PATIENCE
from tests.products.postfix_dovecot.test_programs import local_data, patiently, run
from tests.support.walk import Walk

pytestmark = pytest.mark.daemon

ROOT = os.geteuid() == 0
OWNER = pwd.getpwuid(os.geteuid()).pw_name
UID, GID = (5123, 5123) if ROOT else (os.geteuid(), os.getegid())
PASSWORD = "correct horse"
DOMAIN = "example.org"
REVERSIBLE = tuple(stage for stage in Stage if stage < Stage.DECOMMISSION)
DOVECOT = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols =
ssl = no
auth_mechanisms = plain
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
{internal_users}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=CRYPT {server}/users
}}
userdb {{
  driver = passwd-file
  args = {server}/users
  default_fields = uid={uid} gid={gid} home={server}/vmail/%d/%n
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
"""
OPENDKIM = """
KeyTable {server}/opendkim/KeyTable
SigningTable {signing_type}{server}/opendkim/SigningTable
ResolverConfiguration {base}/resolver.conf
Socket local:{base}/socket
RequireSafeKeys no
Mode s
"""


class Programs:
    """The programs of one server, on its files; ``maps`` is the type of its Postfix maps."""

    def __init__(self, server: Path, base: Path, maps: str) -> None:
        self.server = server
        self.base = base
        self.maps = maps
        base.mkdir()
        internal = "" if ROOT else f"default_internal_user = {OWNER}\ndefault_login_user = {OWNER}"
        self.config = base / "dovecot.conf"
        self.config.write_text(DOVECOT.format(base=base, server=server, uid=UID, gid=GID, internal_users=internal))

    def start(self) -> None:
        with (self.base / "started").open("wb") as said:  # a pipe would stay open in the daemon
            subprocess.run(["dovecot", "-c", self.config], check=True, stdout=said, stderr=said)

    def stop(self) -> None:
        kill(self.base / "run" / "master.pid")

    def doveadm(self, *argv: str, ok: tuple[int, ...] = (0,)) -> str:
        said: str = run("doveadm", "-c", self.config, *argv, ok=ok)
        return said

    def knows(self, address: str) -> dict[str, str]:
        """What Dovecot has of an account, whose password it takes."""
        shown = patiently(lambda: self.doveadm("user", address))
        patiently(lambda: self.doveadm("auth", "test", address, PASSWORD))
        return dict(line.split("\t", 1) for line in shown.splitlines()[1:])

    def knows_not(self, address: str) -> None:
        patiently(lambda: self.doveadm("user", address, ok=(67,)))

    def postmap(self, key: str, name: str = "virtual") -> set[str]:
        found = run("postmap", "-q", key, f"{self.maps}:{self.server / name}", ok=(0, 1))
        return set(found.replace(",", " ").split())


class World:
    """An example whose passwords are known, on its way; ``indexed``: its maps are compiled, as on most servers."""

    def __init__(self, name: str, folder: Path, *, indexed: bool) -> None:
        self.walk = Walk(name, folder / "world")
        self.folder = self.walk.folder
        self.folder.chmod(0o755)
        self.indexed = indexed
        self._give_passwords(self.folder / "old" / "users")
        if indexed:
            spec = self.walk.spec
            mapped = spec.read_text().replace("map_type: texthash", "map_type: hash")
            domains = "    virtual_mailbox_domains: new/domains\n"
            assert mapped.count(domains) == 1
            maps = "    virtual_mailbox_domains: hash:new/domains\n    virtual_mailbox_maps: new/vmailbox\n"
            spec.write_text(mapped.replace(domains, maps))
            for place, name_ in (("old", "virtual"), ("new", "virtual"), ("new", "domains")):
                run("postmap", f"hash:{self.folder / place / name_}")
        type_ = "hash" if indexed else "texthash"
        self.old, self.new = (Programs(self.folder / place, folder / place, type_) for place in ("old", "new"))

    def _give_passwords(self, users: Path) -> None:
        known = run("doveadm", "pw", "-s", "SHA512-CRYPT", "-p", PASSWORD).strip()
        text, number = re.subn(r"\{SHA512-CRYPT\}[^:]+", lambda _: known, users.read_text())
        assert number
        users.write_text(text)
        users.chmod(0o644)

    @property
    def people(self) -> list[str]:
        return sorted(set(re.findall(r"address: (\S+@example\.org)", self.walk.spec.read_text())))


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Started; in a folder that is short enough for Unix sockets and open to Dovecot's own users."""
    name, indexed = request.param
    folder = Path(tempfile.mkdtemp(prefix="move-"))
    folder.chmod(0o755)
    made = World(name, folder, indexed=indexed)
    started: list[Programs] = []
    try:
        for server in (made.old, made.new):
            server.start()
            started.append(server)
        yield made
    finally:
        with ThreadPoolExecutor() as pool:  # each takes seconds to end
            list(pool.map(Programs.stop, started))
        shutil.rmtree(folder)


def mailboxes(world: World, stage: Stage, quotas: dict[str, str]) -> None:
    for address in world.people:
        found = world.new.knows(address)
        assert found["home"] == str(world.folder / "new/vmail" / DOMAIN / address.partition("@")[0])
        assert found.get("quota_rule") == quotas.get(address)
        if stage is not Stage.DECOMMISSION:
            world.old.knows(address)
        else:
            world.old.knows_not(address)


def maps(world: World, stage: Stage, aliases: dict[str, set[str]]) -> None:
    assert world.new.postmap(DOMAIN, "domains") == {"OK"}
    assert world.new.postmap("other.example", "domains") == {"OK"}
    for name, targets in aliases.items():
        assert world.new.postmap(name) == targets
        assert world.old.postmap(name) == (targets if stage is not Stage.DECOMMISSION else set())
    swallows = f"@{DOMAIN}" in aliases
    for address in world.people:
        assert world.new.postmap(address) == ({address} if swallows else set())
        if world.indexed:
            assert world.new.postmap(address, "vmailbox") == {f"{DOMAIN}/{address.partition('@')[0]}/"}


def zone(world: World) -> dns.zone.Zone:
    """The zone, once BIND has taken it."""
    path = world.folder / "example.org.zone"
    said = run("named-checkzone", "-i", "local", "-k", "fail", DOMAIN, path)
    assert said.endswith("OK\n"), said
    return dns.zone.from_file(str(path), DOMAIN, relativize=False)


def exchanges(found: dns.zone.Zone) -> list[str]:
    return sorted(str(rdata.exchange) for rdata in found.find_rdataset(f"{DOMAIN}.", dns.rdatatype.MX))


def scripts(world: World) -> dict[str, str]:
    """Local part to active script, each of which Pigeonhole compiles."""
    found = {}
    for home in sorted((world.folder / "new/vmail" / DOMAIN).glob("*")):
        for path in home.glob("sieve/*.sieve"):
            run("sievec", "-c", world.new.config, path, world.folder / "compiled.svbin")
        active = home / ".dovecot.sieve"
        if active.is_symlink():
            found[home.name] = active.read_text()  # a link that leads nowhere fails here
    return found


def signing(world: World, found: dns.zone.Zone, selectors: set[str], *, published: bool) -> None:
    """OpenDKIM takes its tables; the private keys are the halves of what the zone publishes."""
    server, base = world.new.server, world.new.base
    config = base / "opendkim.conf"
    config.write_text(OPENDKIM.format(server=server, base=base, signing_type="refile:"))
    (base / "resolver.conf").write_text("server:\n")
    run("opendkim", "-n", "-x", config)
    keys = {path.name.partition(".")[0]: path for path in (server / "opendkim/keys").glob("*.private")}
    assert set(keys) == selectors
    for selector, path in keys.items():
        owner = f"{selector}._domainkey.{DOMAIN}"
        rdataset = found.get_rdataset(f"{owner}.", dns.rdatatype.TXT)
        assert (rdataset is not None) == published
        if rdataset is None:
            continue
        text = b"".join(rdataset[0].strings).decode()
        private = serialization.load_pem_private_key(path.read_bytes(), None)
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        assert base64.b64decode(text.rpartition("p=")[2]) == public
        (base / "resolver.conf").write_text(local_data(owner, text))
        argv: list[str | Path] = ["opendkim-testkey", "-vvv", "-x", config, "-d", DOMAIN, "-s", selector, "-k", path]
        said = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=PATIENCE)
        assert said.returncode == 0, said.stderr
        assert "key OK" in said.stdout + said.stderr


def exchanges_at(stage: Stage, old: list[str], new: list[str]) -> list[str]:
    return new if stage >= Stage.CUTOVER else old


@pytest.mark.parametrize("world", [("quickstart", False)], indirect=True, ids=["texthash"])
def test_every_file_of_every_stage_of_a_plain_move_is_accepted(world: World) -> None:
    quotas = {"ann@example.org": "*:bytes=5368709120", "bob@example.org": "*:bytes=1073741824"}
    aliases = {
        "info@example.org": {"ann@example.org"},
        "postmaster@example.org": {"bob@example.org"},
        "abuse@example.org": {"postmaster@example.org"},
    }
    for stage in REVERSIBLE:
        world.walk.reach(stage)
        mailboxes(world, stage, quotas)
        maps(world, stage, aliases)
        found = zone(world)
        assert exchanges(found) == exchanges_at(stage, ["mail.old.example."], ["mail.new.example."])
        signing(world, found, {"new2026"}, published=stage >= Stage.OVERLAP)


@pytest.mark.parametrize("world", [("catch-all", True)], indirect=True, ids=["hash"])
def test_every_file_of_every_stage_of_a_move_with_a_catch_all_is_accepted(world: World) -> None:
    quotas = {"ann@example.org": "*:bytes=10737418240", "bob@example.org": "*:bytes=0"}
    aliases = {
        "office@example.org": {"ann@example.org", "bob@example.org", "archive@elsewhere.example"},
        "@example.org": {"ann@example.org"},
    }
    for stage in Stage:
        world.walk.reach(stage)
        mailboxes(world, stage, quotas)
        maps(world, stage, aliases)
        found = zone(world)
        old, new = ["backup.old.example.", "mail.old.example."], ["mx1.new.example.", "mx2.new.example."]
        assert exchanges(found) == exchanges_at(stage, old, new)
        signing(world, found, set(), published=False)


@pytest.mark.parametrize("world", [("forward-and-retain", True)], indirect=True, ids=["hash"])
def test_every_script_of_every_stage_of_a_move_with_forwards_is_accepted(world: World) -> None:
    before = scripts(world)
    assert list(before) == ["bob"]
    for stage in REVERSIBLE:
        if stage is Stage.HARDEN:
            world.walk.edit(r"(cleo@mail.old.example\n    moved:) false", r"\1 true ")
            world.walk.clock.advance(7 * 86400)  # the days on which the others move are over
        world.walk.reach(stage)
        mailboxes(world, stage, {})
        found = scripts(world)
        if stage in (Stage.OVERLAP, Stage.CUTOVER):
            assert sorted(found) == ["ann", "bob", "cleo"]
            assert all(f'redirect :copy "{name}@mail.old.example"' in script for name, script in found.items())
        else:
            assert found == before
        signing(world, zone(world), {"new2026"}, published=stage >= Stage.OVERLAP)
