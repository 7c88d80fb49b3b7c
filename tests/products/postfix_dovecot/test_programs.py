"""What Debian's own programs say of the files that were written."""

import base64
import grp
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from reconciler.errors import WriteError
from reconciler.model.address import Place
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.sieve import SieveScript
from tests.lab.dovecot import kill
from tests.support.server_files import World, alias, catch_all, quota

pytestmark = pytest.mark.daemon

ROOT = os.geteuid() == 0
OWNER = pwd.getpwuid(os.geteuid()).pw_name
UID, GID = (5123, 5123) if ROOT else (os.geteuid(), os.getegid())
UNPRIVILEGED = f"""
default_internal_user = {OWNER}
default_internal_group = {grp.getgrgid(os.getegid()).gr_name}
default_login_user = {OWNER}
"""
AUTH_PATIENCE = 3  # seconds: Dovecot's auth looks at its file about once a second

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols =
ssl = no
auth_mechanisms = plain
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_plugins = quota
{users}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=CRYPT {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
protocol lda {{
  mail_plugins = $mail_plugins sieve
}}
postmaster_address = postmaster@example.org
"""


def run(*argv, stdin=b"", ok=(0,)):
    done = subprocess.run(list(map(str, argv)), input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode in ok, f"{argv}: {done.returncode}: {done.stderr.decode()}"
    return done.stdout.decode()


@pytest.fixture
def folder():
    """Short enough for Unix sockets, and open to the accounts' own user."""
    made = Path(tempfile.mkdtemp(prefix="server-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def server(folder):
    """A Dovecot that runs on an empty server's files."""
    (folder / "vmail").mkdir()
    os.chown(folder / "vmail", UID, GID)
    w = World(
        folder, uid=UID, gid=GID, home="vmail/%d/%n", virtual_alias_maps="hash:virtual", virtual_mailbox_maps="vmailbox"
    )
    (folder / "users").chmod(0o644)
    users = "" if ROOT else UNPRIVILEGED
    (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder, users=users))
    with (folder / "started").open("wb") as said:  # a pipe would stay open in the daemon
        subprocess.run(["dovecot", "-c", folder / "dovecot.conf"], check=True, stdout=said, stderr=said)
    yield w
    kill(folder / "run" / "master.pid")


def doveadm(w, *argv, **options):
    return run("doveadm", "-c", w.folder / "dovecot.conf", *argv, **options)


def patiently(act):
    """Ask again for as long as Dovecot may not have looked at its file."""
    deadline = time.monotonic() + AUTH_PATIENCE
    while True:
        try:
            return act()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def fields(w, user):
    shown = patiently(lambda: doveadm(w, "user", user))
    return dict(line.split("\t", 1) for line in shown.splitlines()[1:])


def test_dovecot_knows_a_new_mailbox_with_its_home_owner_and_quota(server):
    server.create(server.mailbox("ann", "Ann Ägid"))
    server.create(quota("ann", 5 * 1024**3))
    found = fields(server, "ann@example.org")
    assert found["home"] == str(server.folder / "vmail/example.org/ann")
    assert (found["uid"], found["gid"]) == (str(UID), str(GID))
    assert found["quota_rule"] == "*:bytes=5368709120"
    limits = json.loads(doveadm(server, "-f", "json", "quota", "get", "-u", "ann@example.org"))
    assert {row["type"]: row["limit"] for row in limits}["STORAGE"] == str(5 * 1024**2)


def test_a_removed_mailbox_is_unknown_to_dovecot(server):
    server.create(server.mailbox("ann"), server.mailbox("bob"))
    fields(server, "ann@example.org")
    server.delete(server.mailbox("ann"))
    patiently(lambda: doveadm(server, "user", "ann@example.org", ok=(67,)))
    assert fields(server, "bob@example.org")["uid"] == str(UID)


def _own_line(w, extra):
    w.put("users", f"ann@example.org:{{PLAIN}}pw:{UID}:{GID}::{w.folder}/vmail/ann::{extra}\n")


def test_dovecot_obeys_the_limit_beside_the_rules_that_stood_there(server):
    _own_line(server, "userdb_quota_rule=*:messages=9 userdb_quota_rule2=Trash:storage=+1M")
    server.create(quota("ann", 5 * 1024**3))
    assert fields(server, "ann@example.org")["quota_rule3"] == "*:bytes=5368709120"
    limits = json.loads(doveadm(server, "-f", "json", "quota", "get", "-u", "ann@example.org"))
    assert {each["type"]: each["limit"] for each in limits} == {"STORAGE": "5242880", "MESSAGE": "9"}


@pytest.mark.parametrize(
    "rule", ["*:storage=1G", "?:storage=1048576:messages=9", "*:bytes=1GiB", "*:storage=5M:bytes=1g"]
)
def test_dovecot_reads_a_limit_as_we_do(server, rule):
    _own_line(server, f"userdb_quota_rule={rule}")
    limits = json.loads(doveadm(server, "-f", "json", "quota", "get", "-u", "ann@example.org"))
    assert next(each["limit"] for each in limits if each["type"] == "STORAGE") == str(1024**2)  # in kibibytes
    assert server.read("quota")["ann@example.org"].size == 1024**3


def test_a_quota_on_a_short_line_of_somebody_else_is_understood(server):
    server.put("users", f"ann@example.org:{{PLAIN}}pw:{UID}:{GID}::{server.folder}/vmail/ann\n")
    server.create(quota("ann", 1024**2))
    assert fields(server, "ann@example.org")["quota_rule"] == "*:bytes=1048576"
    patiently(lambda: doveadm(server, "auth", "test", "ann@example.org", "pw"))


SCHEMES = ("SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "ARGON2ID", "MD5-CRYPT", "SSHA512", "PLAIN")


def test_dovecot_accepts_the_password_in_every_form_that_a_secret_has(server):
    password = "correct horse ü"
    secrets = {"hashed-by-us": password}
    for scheme in SCHEMES:
        tagged = run("doveadm", "pw", "-s", scheme, "-p", password).strip()
        raw = tagged.partition("}")[2]
        secrets[scheme.lower()] = tagged
        if raw.startswith("$"):
            secrets[f"raw-{scheme.lower()}"] = raw
    assert len(secrets) == 1 + len(SCHEMES) + 5
    server.create(*(server.mailbox(local, secret=secret) for local, secret in secrets.items()))
    for local in secrets:
        patiently(lambda user=f"{local}@example.org": doveadm(server, "auth", "test", user, password))
        carried = server.opened.password_hash(f"{local}@example.org").reveal()
        assert "(verified)" in run("doveadm", "pw", "-t", carried, "-p", password)
    doveadm(server, "auth", "test", "hashed-by-us@example.org", "wrong", ok=(77,))


def test_pigeonhole_runs_the_script_that_is_active_and_not_the_one_that_was_removed(server):
    server.create(server.mailbox("ann"))
    fields(server, "ann@example.org")
    script = SieveScript(
        place=Place.NEW,
        name="ann@example.org",
        script="roundcube",
        content='require ["fileinto", "mailbox"];\r\n# rule:[Filed]\r\nfileinto :create "Filed";\r\n',
    )
    server.create(script)
    listed = json.loads(doveadm(server, "-f", "json", "sieve", "list", "-u", "ann@example.org"))
    assert listed == [{"script": "roundcube", "active": "ACTIVE"}]
    assert doveadm(server, "sieve", "get", "-u", "ann@example.org", "roundcube").endswith(f":\n{script.content}")
    run("sievec", server.folder / "vmail/example.org/ann/sieve/roundcube.sieve", server.folder / "compiled")
    deliver(server, "first")
    assert [subjects(server, "Filed"), subjects(server, "INBOX")] == [["first"], []]
    changed = script.model_copy(update={"content": script.content.replace("Filed", "Other")})
    server.update(changed)
    deliver(server, "second")
    assert subjects(server, "Other") == ["second"]
    server.delete(script)
    deliver(server, "third")
    assert subjects(server, "INBOX") == ["third"]
    assert doveadm(server, "sieve", "list", "-u", "ann@example.org") == ""
    assert [p.name for p in (server.folder / "vmail/example.org/ann/sieve").rglob("*") if p.is_file()] == []


def deliver(w, subject):
    message = f"From: a@example.net\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\r\nHello\r\n"
    lda = next(
        path for path in ("/usr/lib/dovecot/dovecot-lda", "/usr/libexec/dovecot/dovecot-lda") if Path(path).exists()
    )
    run(lda, "-c", w.folder / "dovecot.conf", "-d", "ann@example.org", stdin=message.encode())


def subjects(w, folder):
    shown = doveadm(w, "fetch", "-u", "ann@example.org", "hdr.subject", "mailbox", folder)
    return [line.partition(": ")[2] for line in shown.splitlines() if line.startswith("hdr.subject: ")]


def postmap(w, key, map_="hash:virtual"):
    kind, _, name = map_.partition(":")
    return run("postmap", "-q", key, f"{kind}:{w.folder / name}", ok=(0, 1)).strip()


def test_postfix_finds_aliases_mailboxes_and_the_catch_all(server):
    server.create(server.mailbox("ann"))
    server.create(alias("info", "ann@example.org", "x@x.org"))
    server.create(catch_all("info@example.org"))
    server.create(server.mailbox("bob"))
    assert postmap(server, "info@example.org") == "ann@example.org, x@x.org"
    assert postmap(server, "@example.org") == "info@example.org"
    assert postmap(server, "ann@example.org") == "ann@example.org"
    assert postmap(server, "bob@example.org") == "bob@example.org"
    assert postmap(server, "bob@example.org", "hash:vmailbox") == "example.org/bob/"
    server.delete(server.mailbox("bob"))
    assert postmap(server, "bob@example.org") == ""
    assert postmap(server, "bob@example.org", "hash:vmailbox") == ""


@pytest.mark.parametrize("kind", ["hash", "btree", "texthash"])
def test_postfix_reads_what_we_read_from_a_map_in_every_form(folder, kind):
    w = World(
        folder,
        "",
        "# c\nInfo@Example.ORG\tann@x.org,b@x.org\n\n\t c@x.org\n# in between\n   d@x.org\n@example.org catch@x.org\n",
        virtual_alias_maps=f"{kind}:virtual",
    )
    w.update(alias("info", "ann@x.org", "c@x.org", "new@x.org"))
    said = postmap(w, "info@example.org", f"{kind}:virtual")
    assert set(said.replace(",", " ").split()) == w.read("alias")["info@example.org"].targets
    assert postmap(w, "@example.org", f"{kind}:virtual") == "catch@x.org"


def test_postfix_takes_the_domain_from_a_map_and_from_a_list(folder):
    w = World(folder, virtual_mailbox_domains="hash:domains")
    domain = MailDomain(place=Place.NEW, name="example.org")
    w.create(domain)
    assert postmap(w, "example.org", "hash:domains") == "OK"
    w.delete(domain)
    assert not (folder / "domains.db").exists()


def test_postmap_that_refuses_a_map_leaves_it_as_it_was(folder):
    known = run("postconf", "-m").split()
    unknown = next(kind for kind in ("lmdb", "cdb") if kind not in known)
    w = World(folder, "", "a@example.org b@x.org\n", virtual_alias_maps=f"{unknown}:virtual")
    before = w.everything()
    with pytest.raises(WriteError, match=rf"(?s)postmap {unknown}:\S+ ended with status 1: .*unsupported") as caught:
        w.create(alias("b", "x@x.org"))
    assert "by hand" not in str(caught.value)
    assert w.everything() == before


DKIM_CONFIG = """
KeyTable {folder}/KeyTable
SigningTable refile:{folder}/SigningTable
ResolverConfiguration {folder}/resolver.conf
Socket local:{folder}/socket
RequireSafeKeys no
Mode s
"""
MESSAGE = (
    "From: Ann <ann@example.org>\r\nTo: b@example.net\r\nSubject: x\r\n"
    "Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\nHello\r\n"
)


@pytest.mark.parametrize("source", ["generate", "file:dkim.pem"])
def test_opendkim_signs_with_the_new_key_and_finds_that_it_matches_the_dns(folder, source):
    w = World(folder, opendkim={"key_table": "KeyTable", "signing_table": "refile:SigningTable", "keys_dir": "keys"})
    (folder / "keys").mkdir()
    w.put("opendkim.conf", DKIM_CONFIG.format(folder=folder))
    w.put("message", MESSAGE)
    w.secrets.known["file:dkim.pem"] = run(
        "openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"
    )
    for selector in ("old", "new"):
        bits = 2048 if source == "generate" else 0
        w.create(DkimKey(place=Place.NEW, name=f"{selector}._domainkey.example.org", source=source, bits=bits))
    published = w.read("dkim_key")["new._domainkey.example.org"].publishes()
    w.put("resolver.conf", local_data("new._domainkey.example.org", published))
    run("opendkim", "-n", "-x", folder / "opendkim.conf")
    signed = run("opendkim", "-x", folder / "opendkim.conf", "-vvv", "-t", folder / "message")
    assert "d=example.org; s=new;" in signed
    private = folder / "keys/new.example.org.private"
    matches = subprocess.run(
        ["opendkim-testkey", "-vvv", "-x", folder / "opendkim.conf", "-d", "example.org", "-s", "new", "-k", private],
        capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip
    assert matches.returncode == 0
    assert "key OK" in matches.stdout + matches.stderr
    assert base64.b64decode(run("openssl", "rsa", "-in", private, "-pubout", "-outform", "PEM").split("-----")[2]) == (
        base64.b64decode(published.rpartition("p=")[2])
    )


def local_data(owner, text):
    """The record as a resolver of our own answers it, in strings of at most 255 octets."""
    strings = " ".join(f'"{text[i : i + 250]}"' for i in range(0, len(text), 250))
    zone = owner.partition("._domainkey.")[2]
    return f"server:\n  local-zone: \"{zone}.\" static\n  local-data: '{owner}. TXT {strings}'\n"
