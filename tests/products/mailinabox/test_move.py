"""A move from Postfix and Dovecot to a Mail-in-a-Box that keeps the zone too: the whole program, on the fake one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.clock import SystemClock
from reconciler.cli.main import main
from tests.fakes.mailinabox import FakeBox
from tests.fakes.name_server import NameServer
from tests.support.files_world import write_spec, write_world

ADMIN, ANN = "AdminPass-123", "Ann-Her-Own-Pass-1"
DOMAIN = "example.org"


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeBox(SystemClock())
        self.fake.state.add_user({"email": f"zoe@{DOMAIN}", "password": "Zoe-Pass-1"})
        self.fake.state.zones.custom += [
            (DOMAIN, "MX", "10 mail.old.example."),
            (DOMAIN, "TXT", "v=spf1 ip4:192.0.2.1 -all"),
            (f"s1._domainkey.{DOMAIN}", "TXT", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"),
        ]
        self.fake.state.write_zones()
        self.name_server = NameServer(self.fake.state.zones.served)
        self.path = write_world(folder)
        self.stage("prepare")

    def stage(self, stage: str, **overrides: Any) -> None:
        box = {"url": self.fake.url, "email": self.fake.admin, "password": "env:BOX_ADMIN"}
        write_spec(
            self.path,
            stage=stage,
            new={
                "backend": "mailinabox",
                "options": box,
                "mx": ["10 box.example.net"],
                "senders": ["mx"],
                "dkim": ["mail"],
            },
            dns={"backend": "mailinabox", "options": {**box, "name_servers": [self.name_server.where]}},
            generated_passwords="passwords.csv",
            mailboxes=[
                {
                    "address": f"ann@{DOMAIN}",
                    "name": "Ann",
                    "password": "env:ANN",
                    "quota": "5 GiB",
                    "forward_to": "ann@old.example",
                },
                {"address": f"bob@{DOMAIN}", "password": "generate", "quota": 0, "moved": True},
            ],
            aliases={f"info@{DOMAIN}": f"ann@{DOMAIN}"},
            catch_all=f"bob@{DOMAIN}",
            **overrides,
        )

    def served(self, name: str, rdtype: str) -> set[str]:
        zones = self.fake.state.zones
        return {v for q, t, v in zones.dump(DOMAIN, self.fake.state.domains) if (q, t) == (name, rdtype)}

    def close(self) -> None:
        self.name_server.stop()
        self.fake.stop()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("BOX_ADMIN", ADMIN)
    monkeypatch.setenv("ANN", ANN)
    made = Scene(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run(scene: Scene, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def command(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*arguments[:1], str(scene.path), *arguments[1:]])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return command


def test_prepare_makes_everything_holds_the_mail_at_the_old_server_and_is_then_settled(
    scene: Scene, run: Callable[..., tuple[int, str]]
) -> None:
    code, shown = run("apply", "--yes")
    assert code == 0, shown
    users, aliases = scene.fake.state.users, scene.fake.state.aliases
    assert users[f"ann@{DOMAIN}"].password == ANN
    assert users[f"ann@{DOMAIN}"].quota == "5G"
    assert users[f"bob@{DOMAIN}"].quota == "0"
    assert users[f"bob@{DOMAIN}"].password in (scene.folder / "passwords.csv").read_text()
    assert aliases[f"info@{DOMAIN}"] == (f"ann@{DOMAIN}", None)
    assert aliases[f"@{DOMAIN}"] == (f"bob@{DOMAIN}", None)
    assert f"zoe@{DOMAIN}" in users
    assert scene.served(DOMAIN, "MX") == {"10 mail.old.example."}
    code, shown = run("plan")
    assert code == 0, shown


def test_overlap_says_what_ttls_cost_and_what_is_by_hand(scene: Scene, run: Callable[..., tuple[int, str]]) -> None:
    run("apply", "--yes")
    scene.stage("overlap")
    code, shown = run("plan")
    assert code in {2, 4}, shown
    flat = " ".join(shown.split())
    assert "24 h (86400 s)" in flat
    assert "by hand on Mail-in-a-Box" in flat
    assert "TTL" in flat


def test_a_rollback_gives_the_box_back_as_it_was(scene: Scene, run: Callable[..., tuple[int, str]]) -> None:
    for name in (f"info@{DOMAIN}", f"@{DOMAIN}"):
        scene.fake.state.add_alias({"address": name, "forwards_to": "", "permitted_senders": f"zoe@{DOMAIN}"})
    users, aliases = set(scene.fake.state.users), dict(scene.fake.state.aliases)
    custom = list(scene.fake.state.zones.custom)
    run("apply", "--yes")
    assert scene.fake.state.aliases[f"info@{DOMAIN}"] == (f"ann@{DOMAIN}", f"zoe@{DOMAIN}")
    code, shown = run("rollback", "--all", "--yes")
    assert code == 0, shown
    assert set(scene.fake.state.users) == users
    assert scene.fake.state.aliases == aliases
    assert scene.fake.state.zones.custom == custom
    assert {f"ann@{DOMAIN}", f"bob@{DOMAIN}"} <= scene.fake.state.left


def test_the_last_addresses_stay_on_a_box_that_keeps_the_zone(
    scene: Scene, run: Callable[..., tuple[int, str]]
) -> None:
    run("apply", "--yes")
    del scene.fake.state.users[f"zoe@{DOMAIN}"]  # by somebody else: from now on the zone rests on our addresses
    code, shown = run("rollback", "--all", "--yes")
    assert code == 4, shown
    assert f"with the last address of {DOMAIN} the box gives up the zone of {DOMAIN}" in " ".join(shown.split())
    assert f"ann@{DOMAIN}" in scene.fake.state.users
    assert scene.served(DOMAIN, "MX") == {"10 mail.old.example."}


def test_one_login_serves_mail_and_zone_and_no_secret_is_left_anywhere(
    scene: Scene, run: Callable[..., tuple[int, str]]
) -> None:
    _, shown = run("apply", "--yes", "--json")
    assert scene.fake.asked("POST /login") == 1
    assert scene.fake.state.sessions == {}
    bob = scene.fake.state.users[f"bob@{DOMAIN}"].password
    kept = b"".join(p.read_bytes() for p in scene.folder.rglob("*") if p.is_file() and p.name != "passwords.csv")
    for secret in (ADMIN, ANN, bob):
        assert secret not in shown
        assert secret.encode() not in kept
    assert json.loads(shown.splitlines()[-1])["exit_code"] == 0
    assert b"SQLite format 3" in kept  # the journal was among the files


def test_an_old_password_that_cannot_be_carried_is_blocked_in_the_plan(
    scene: Scene, run: Callable[..., tuple[int, str]]
) -> None:
    scene.stage("prepare")
    text = scene.path.read_text().replace("password: env:ANN", "password: keep")
    scene.path.write_text(text)
    _, shown = run("plan")
    assert "blocked: Mail-in-a-Box 127.0.0.1: its API takes passwords, not hashes" in " ".join(shown.split())
    assert "1 blocked" in shown or "blocked: step" in shown
    assert scene.fake.asked("POST /mail") == 0
