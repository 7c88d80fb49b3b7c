"""The command line on a zone behind a real primary and the name server that follows it."""

import pytest

from reconciler.cli.main import main
from tests.lab.bind import Bind, TsigKey
from tests.lab.nsd import Nsd
from tests.support.files_world import ZONE, write_spec, write_world

pytestmark = pytest.mark.daemon
SPF = {'"v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 ~all"', '"some-verification=abc"'}


@pytest.fixture
def world(lab, tmp_path, monkeypatch):
    """BIND, NSD, and a spec that says overlap."""
    key, nsd = TsigKey(), lab(Nsd())
    bind = lab(Bind({"example.org": ZONE}, key, also_notify=[nsd])).start()
    nsd.start(bind, key)
    monkeypatch.setenv("ZONE_KEY", key.secret)
    options = {
        "server": bind.where,
        "key_name": key.name,
        "key_secret": "env:ZONE_KEY",
        "name_servers": [bind.where, nsd.where],
        "wait": "10s",
    }
    dns = {"backend": "rfc2136", "options": options}
    return bind, nsd, write_world(tmp_path, stage="overlap", dns=dns), dns


def test_a_stage_is_applied_and_rolled_back_on_every_name_server(world, capsys, tmp_path) -> None:
    bind, nsd, spec, _ = world
    before = bind.answers("example.org.", "TXT")
    assert main(["apply", str(spec), "--yes"]) == 0
    for server in (bind, nsd):
        assert server.answers("example.org.", "TXT") == SPF
        (mx,) = server.ask("example.org.", "MX").answer
        assert mx.ttl == 300
    assert main(["plan", str(spec)]) == 0
    assert main(["rollback", str(spec), "--all", "--yes"]) == 0
    for server in (bind, nsd):
        assert server.answers("example.org.", "TXT") == before
        (mx,) = server.ask("example.org.", "MX").answer
        assert mx.ttl == 86400
    shown = capsys.readouterr()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert bind.keys[0].secret not in shown.out + shown.err
    assert bind.keys[0].secret.encode() not in files


def test_an_edit_after_the_plan_was_saved_is_not_overwritten(world, tmp_path, capsys) -> None:
    bind, _, spec, _ = world
    saved = tmp_path / "plan.json"
    assert main(["plan", str(spec), "--out", str(saved)]) == 2
    bind.nsupdate('update add example.org 86400 TXT "by somebody else"')
    assert main(["apply", str(spec), "--plan", str(saved)]) == 5
    assert "by somebody else" in capsys.readouterr().err
    assert '"by somebody else"' in bind.answers("example.org.", "TXT")


def test_a_name_server_that_never_follows_stops_the_run_and_nothing_is_done_twice(world, lab, capsys) -> None:
    bind, nsd, spec, dns = world
    stuck = lab(Bind({"example.org": ZONE}, bind.keys[0])).start()
    servers = [bind.where, nsd.where, stuck.where]
    slow = {**dns, "options": {**dns["options"], "name_servers": servers, "wait": "1s"}}
    write_spec(spec, stage="overlap", dns=slow)
    assert main(["apply", str(spec), "--yes"]) == 1
    *waiting, last = (line for line in capsys.readouterr().err.splitlines() if f"{stuck.where} still serves" in line)
    assert waiting  # it is said while it waits, and not only when the time is up
    assert {line.partition(":")[0] for line in waiting} == {"waiting"}
    assert last.startswith("error: ")
    serial = bind.serial("example.org")
    write_spec(spec, stage="overlap", dns=dns)
    assert main(["apply", str(spec), "--yes"]) == 0
    assert bind.answers("example.org.", "TXT") == SPF
    assert bind.serial("example.org") > serial


def test_what_a_person_must_type_is_in_the_plan_and_seen_when_it_was_typed(world, capsys) -> None:
    bind, nsd, spec, dns = world
    by_hand = {"backend": "manual", "options": {"name_servers": dns["options"]["name_servers"], "name": "Joker"}}
    write_spec(spec, stage="overlap", dns=by_hand)
    assert main(["apply", str(spec), "--yes"]) == 4
    capsys.readouterr()
    assert main(["plan", str(spec), "--json"]) == 4
    typed = "example.org. 300 IN MX 10 mail.old.example."
    assert f"by hand on Joker: change to {typed}" in capsys.readouterr().out
    bind.nsupdate("update delete example.org MX", f"update add {typed}")
    nsd.await_serial("example.org", bind.serial("example.org"))
    main(["plan", str(spec), "--json"])
    assert typed not in capsys.readouterr().out
