import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fakes.certificates import authority
from tests.fakes.token_server import TokenServer
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, expected, fill
from tests.lab.oauth import oauth_dovecot

pytestmark = pytest.mark.daemon

ANN, BOB, CLEO = "ann@example.org", "bob@example.org", "cleo@example.org"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TokenServer, Dovecot, Dovecot]]:
    """A provider of tokens, the old server that takes them, and the new one that takes passwords."""
    tls = authority().sign("localhost").context(tmp_path_factory.mktemp("tls"))
    provider = TokenServer(RealClock(), tls, users={ANN, BOB})
    new = Dovecot("tokens-new")
    for user in (ANN, BOB, CLEO):
        new.add_user(user)
    with oauth_dovecot(provider, ANN, BOB, CLEO) as old:
        yield provider, old, new.start()
    new.remove()
    provider.stop()


@pytest.fixture
def move(tmp_path: Path, world: tuple[TokenServer, Dovecot, Dovecot], monkeypatch: pytest.MonkeyPatch) -> Path:
    provider, old, new = world
    provider.asked.clear()
    (tmp_path / "authorities.pem").write_bytes(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    key = tmp_path / "mover.json"
    key.touch(0o600)
    key.write_text(json.dumps(provider.service_account("mover")))
    account = {"login": "xoauth2", "service_account": {"google": "file:mover.json"}}
    spec = {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": "10 mail.old.example"},
        "new": {"backend": "memory", "mx": "10 mail.new.example"},
        "dns": {"backend": "memory"},
        "copy": {
            "old": {"host": "127.0.0.1", "port": old.port, "tls": "none", **account},
            "new": {"host": "127.0.0.1", "port": new.port, "tls": "none"},
        },
        "mailboxes": [{"address": user, "password": f"env:{user[:3].upper()}"} for user in (ANN, BOB, CLEO)],
    }
    for user in (ANN, BOB, CLEO):
        monkeypatch.setenv(user[:3].upper(), f"pw-{user}")
    path = tmp_path / "migration.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def test_a_service_account_opens_every_mailbox_but_those_that_the_provider_does_not_know(run, move, world):
    provider, old, new = world
    for seed, user in enumerate((ANN, BOB, CLEO)):
        fill(old, user, seed, 15, ((), ("Work",)))
    shown = run("copy", move, "--verify", "--log-dir", move.with_name("logs"), "--report", move.with_name("r.json"))
    assert shown.code == 4, shown
    assert "3: 2 done, 1 auth lost" in shown.out
    assert f"auth lost  {CLEO}: no token for {CLEO}" in shown.out
    assert "invalid_grant: Invalid email or User ID" in shown.out
    for user in (ANN, BOB):
        assert new.seen(user) == expected(old.seen(user))
    assert len(provider.asked) == 4, "one token for each user, and one more try for the one that is not known"
    kept = b"".join(
        path.read_bytes() for path in move.parent.rglob("*") if path.is_file() and path.name != "mover.json"
    )
    everything = kept + (shown.out + shown.err).encode()
    assert provider.given
    for secret in provider.given:
        assert secret.encode() not in everything


def test_a_key_that_others_may_read_is_not_used(run, move, world):
    move.with_name("mover.json").chmod(0o644)
    shown = run("copy", move)
    assert shown.code == 4
    assert "3: 3 auth lost" in shown.out
    assert world[0].asked == []
