"""Servers that refuse, are not who they were, or answer half: told by the whole program, and nothing is left half."""

import json
import os
from collections.abc import Iterator
from functools import partial

import pytest

from reconciler.app.clock import SystemClock
from tests.badinput.conftest import JOURNAL, goes_on, nothing_changes
from tests.fakes.mailinabox import FakeBox
from tests.lab.bind import Bind, TsigKey
from tests.lab.sshd import Sshd
from tests.support.files_world import ZONE, write_spec, write_world

ADMIN, ANN = "AdminPass-123", "Ann-Her-Own-Pass-1"

COMMANDS = (("plan",), ("apply", "--yes"))


def refused(run, spec, *says, never="\0", commands=COMMANDS):
    """The commands end with an error that says all of it, and the journal knows of no run."""
    for command, *options in commands:
        result = run(command, spec, *options)
        assert (result.code, result.out) == (1, ""), result.said
        assert [text for text in says if text not in result.err] == [], result.err
        assert never not in result.said
    assert run("history", spec).out == "example.org: no run yet\n"


def last_run(run, spec):
    number = len(run("history", spec).out.splitlines())
    return json.loads(run("history", spec, "--run", number, "--json").out)


@pytest.mark.daemon
def test_a_name_server_that_does_not_know_the_key_is_not_written_to(run, tmp_path, monkeypatch):
    key, wrong = TsigKey(), TsigKey()
    bind = Bind({"example.org": ZONE}, key).start()
    try:
        options: dict[str, str | list[str]] = {"server": bind.where, "key_name": key.name, "key_secret": "env:ZONE_KEY"}
        options |= {"name_servers": [bind.where]}
        spec = write_world(tmp_path, stage="overlap", dns={"backend": "rfc2136", "options": options})
        monkeypatch.setenv("ZONE_KEY", wrong.secret)
        serial = bind.serial("example.org")
        with nothing_changes(tmp_path, JOURNAL):
            refused(run, spec, bind.where, "BADSIG", "key_secret", never=wrong.secret)
        assert bind.serial("example.org") == serial
        monkeypatch.setenv("ZONE_KEY", key.secret)
        goes_on(run, spec)
    finally:
        bind.remove()


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


@pytest.fixture
def far(sshd, tmp_path):
    """The new server behind SSH, whose machine is known by the file ``known``."""
    known = tmp_path / "known"
    known.write_bytes(sshd.known_hosts.read_bytes())
    new = tmp_path / "new"
    options = {
        "ssh": sshd.ssh(known_hosts=str(known)).model_dump(mode="json", exclude_none=True),
        "passwd_file": f"{new}/passwd",
        "virtual_alias_maps": f"texthash:{new}/virtual",
        "virtual_mailbox_domains": f"{new}/domains",
        "mail_home": f"{new}/home/%d/%n",
    }
    section = {"backend": "postfix_dovecot", "mx": ["10 mail.new.example"], "senders": ["ip4:198.51.100.1"]}
    return write_world(tmp_path, new={**section, "options": options})


@pytest.mark.daemon
def test_a_machine_whose_host_key_has_changed_is_not_entered(run, far, sshd, tmp_path):
    known = tmp_path / "known"
    right = known.read_bytes()
    sshd.make_key("of_another_machine")
    known.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public('of_another_machine')}\n")
    logins = sshd.logins()
    with nothing_changes(tmp_path, JOURNAL):
        refused(run, far, "THE HOST KEY HAS CHANGED", sshd.fingerprint(), f"127.0.0.1:{sshd.port}")
    assert sshd.logins() == logins
    known.write_bytes(right)
    goes_on(run, far)


@pytest.mark.daemon
def test_a_disk_that_fills_up_on_the_new_server_ends_the_run_between_two_writes(run, far, sshd, tmp_path):
    piece = sshd.root / "piece"
    sshd.program(
        "cat",
        f'/bin/cat "$@" >{piece}\n'
        f"if grep -q ^info@ {piece}; then head -c 9 {piece}; exec /bin/cat {piece} >/dev/full; fi\n"
        f"exec /bin/cat {piece}",
    )
    result = run("apply", far, "--yes")
    assert result.code == 1
    assert f"{tmp_path}/new/virtual on 127.0.0.1:{sshd.port} could not be written: no space left" in result.err
    assert "make room" in result.err
    assert (tmp_path / "new" / "virtual").read_text() == ""
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["domains", "passwd", "virtual"]
    failed = last_run(run, far)
    assert failed["outcome"] == "failed"
    assert {step["state"] for step in failed["steps"] if "mailbox" in step["address"]} == {"done"}
    (sshd.programs / "cat").unlink()
    goes_on(run, far)


@pytest.fixture
def box(monkeypatch) -> Iterator[FakeBox]:
    monkeypatch.setenv("ANN", ANN)
    monkeypatch.setenv("BOX_ADMIN", ADMIN)
    fake = FakeBox(SystemClock())
    yield fake
    fake.stop()


@pytest.fixture
def to_box(box, tmp_path):
    """A move to the box, whose DNS is a file."""
    spec = write_world(tmp_path)
    options = {"url": box.url, "email": box.admin, "password": "env:BOX_ADMIN"}
    section = {"backend": "mailinabox", "options": options, "mx": ["10 box.example.net"], "senders": ["mx"]}
    mailboxes = [{"address": f"{name}@example.org", "password": "env:ANN"} for name in ("ann", "bob")]
    aliases = {f"{name}@example.org": "ann@example.org" for name in ("info", "sales")}
    write_spec(spec, new=section, mailboxes=mailboxes, aliases=aliases)
    return spec


def test_a_box_that_does_not_take_the_password_is_asked_once_a_command(process, run, to_box, box, tmp_path):
    wrong = {**os.environ, "BOX_ADMIN": "Not-The-Password-1"}
    with nothing_changes(tmp_path, JOURNAL):
        refused(partial(process, environment=wrong), to_box, box.url, "password", never=wrong["BOX_ADMIN"])
    assert box.asked("POST /login") == 2
    assert box.asked("POST /mail") == 0
    goes_on(run, to_box)


def test_half_a_list_from_the_api_is_no_list(run, to_box, box, tmp_path):
    for _ in range(20):
        box.fault("GET /mail/users", "half")
    with nothing_changes(tmp_path, JOURNAL):
        refused(run, to_box, box.url, commands=COMMANDS[1:])  # one of them: it asks again, with pauses
    assert box.asked("POST /mail") == 0
    box.faults.clear()
    goes_on(run, to_box)


@pytest.mark.parametrize("fault", ["break", "break after", "drop after", "half"])
def test_an_api_that_breaks_in_the_middle_is_gone_on_with_and_nothing_is_made_twice(run, to_box, box, fault):
    box.fault("POST /mail/aliases/add", fault)
    broken = run("apply", to_box, "--yes")
    assert {f"{name}@example.org" for name in ("ann", "bob")} <= set(box.state.users)
    if broken.code:
        assert box.url in broken.err
        assert "mail/aliases/add" in broken.err
        assert last_run(run, to_box)["outcome"] == "failed"
        goes_on(run, to_box)
    assert run("plan", to_box).code == 0
    assert box.asked("POST /mail/users/add") == 2
    assert {"info@example.org", "sales@example.org"} <= set(box.state.aliases)
