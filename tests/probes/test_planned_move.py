"""The probes in a whole move: what a person sees of them in the plan, from the first one to after the cutover."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.main import main
from tests.lab.bind import Bind, TsigKey
from tests.lab.loopback import SMTP
from tests.lab.unbound import Unbound
from tests.probes.secured import HOST, Secured

pytestmark = pytest.mark.daemon

ME = "move-test@example.org"
_ZONE = """\
$TTL 1
@ IN SOA ns1 hostmaster 7 7200 3600 1209600 1
@ IN NS ns1
ns1 IN A 127.0.0.1
@ IN MX 10 mail.old.example.
@ IN TXT "v=spf1 ip4:192.0.2.1 include:_spf.outside.test ~all"
_dmarc IN TXT "v=DMARC1; p=quarantine"
"""
_OUTSIDE = "$TTL 60\n@ IN SOA ns host 1 7200 3600 1209600 60\n@ IN NS ns\nns IN A 127.0.0.1\n"


@dataclass
class Run:
    """Runs a command line; ``said`` is all that was shown."""

    capsys: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    def __call__(self, *arguments: object) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        shown = self.capsys.readouterr()
        self.said.extend((shown.out, shown.err))
        return code, " ".join((shown.out + shown.err).split())


@dataclass
class Move:
    """The spec in its folder, and what it is about."""

    people: Secured
    bind: Bind
    unbound: Unbound
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    @property
    def file(self) -> Path:
        return self.people.folder / "migration.yaml"

    def write(self, stage: str) -> Path:
        folder, server = self.people.folder, self.people.server
        for name, secret in (("tsig", self.bind.keys[0].secret), ("password", self.password)):
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        old = {"passwd_file": "old-users", "virtual_alias_maps": "texthash:old-virtual"}
        (folder / "old-users").write_text("")
        (folder / "old-virtual").write_text("")
        spec: dict[str, Any] = {
            "domain": "example.org",
            "stage": stage,
            "old": {
                "backend": "postfix_dovecot", "options": old, "mx": "10 mail.old.example", "senders": ["ip4:192.0.2.1"],
            },
            "new": {
                "backend": "postfix_dovecot",
                "options": server.options(), "mx": f"10 {HOST}",
                "senders": [f"ip4:{server.address}"], "dkim": ["new2026"],
            },
            "senders": ["include:_spf.outside.test"],
            "dns": {
                "backend": "rfc2136",
                "options": {
                    "server": self.bind.where, "key_name": self.bind.keys[0].name, "key_secret": "file:tsig",
                    "name_servers": [self.bind.where],
                },
            },
            "ttl": {"during": 1},
            "probe": {
                "smtp": f"{server.address}:{SMTP}",
                "tls": [self.people.imap(implicit=True), self.people.submission()],
                "signed": {
                    "mailbox": ME, "password": "file:password",
                    "submission": self.people.submission(), "imap": self.people.imap(),
                },
                "timeout": 5,
            },
            "mailboxes": [{"address": ME, "password": "file:password"}, {"address": "ann@example.org",
                "password": "file:password"}],
            "aliases": {"postmaster@example.org": "ann@example.org", "abuse@example.org": "ann@example.org"},
        }  # fmt: skip
        spec["probe"]["resolver"] = self.unbound.where
        self.file.write_text(yaml.safe_dump(spec, sort_keys=False))
        return self.file

    def messages(self) -> int:
        return sum(it.mailbox == ME for it in self.people.server.stored())


@pytest.fixture
def move(people: Secured) -> Iterator[Move]:
    with ExitStack() as at_the_end:
        outside = f'{_OUTSIDE}_spf IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n'
        bind = Bind({"example.org": _ZONE, "outside.test": outside}, TsigKey())
        at_the_end.callback(bind.remove)
        unbound = Unbound({zone: [bind] for zone in ("example.org", "outside.test")})
        at_the_end.callback(unbound.remove)
        yield Move(people, bind.start(), unbound.start())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def test_the_cutover_waits_for_a_signed_message_and_each_plan_after_it_sends_no_other(move: Move, run: Run):
    code, shown = run("plan", move.write("overlap"), "--stage", "cutover")
    assert code == 2
    assert "first the new server gets the key new2026; then it can sign a message" in shown
    assert move.messages() == 0

    code, shown = run("apply", move.file, "--yes")
    assert code == 0, shown
    assert move.messages() == 0
    subprocess.run(move.people.server.postfix.reload_command(), check=True)  # else it takes 10 s to know a new domain

    for _ in range(2):
        _, shown = run("plan", move.file, "--stage", "cutover", "--verbose")
        assert f"{ME} sent itself a message" in shown
        assert "rightly signed with new2026" in shown
        assert f"ip4:{move.people.server.address}" in shown
        assert "mail of 2 addresses passes" in shown
        assert "2 certificates to trust" in shown
        assert move.messages() == 1

    code, shown = run("plan", move.write("cutover"))
    while code == 3:  # the TTL of one second
        code, shown = run("plan", move.file)
    assert code == 2, shown
    code, shown = run("apply", move.file, "--yes")
    assert code == 0, shown
    assert move.bind.answers("example.org.", "MX") == {f"10 {HOST}."}

    move.people.server.opendkim.stop()  # nobody would notice now: no message is sent after the cutover
    code, shown = run("plan", move.file, "--verbose")
    assert code == 0
    assert "no message is sent where the world delivers to the new server already" in shown
    assert move.messages() == 1

    everything = "".join(run.said) + "".join(move.people.server.logs().values())
    everything += "".join(file.read_text(errors="replace") for file in move.people.folder.glob("*.journal*"))
    assert move.password not in everything
