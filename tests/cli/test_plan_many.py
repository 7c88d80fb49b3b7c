"""Many specs in one call: how many are read at a time, and what a server's sshd sees of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock

import pytest

from reconciler.cli.run import plan
from tests.lab.patience import PATIENCE
from tests.lab.sshd import Sshd
from tests.support.files_world import write_spec, write_world

SPECS = 24


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    """With the limits that sshd has by itself."""
    daemon = Sshd(startups="10:30:100")
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def behind(sshd: Sshd, folder: Path, server: str, **changes: object) -> dict[str, object]:
    return {
        "backend": "postfix_dovecot",
        "options": {
            "passwd_file": f"{folder}/{server}/passwd",
            "virtual_alias_maps": f"texthash:{folder}/{server}/virtual",
            "mail_home": f"{folder}/{server}/vmail/%d/%n",
            "ssh": sshd.ssh(**changes).model_dump(mode="json", exclude_none=True),
        },
        "mx": [f"10 mail.{server}.example"],
        "senders": ["ip4:192.0.2.1" if server == "old" else "ip4:198.51.100.1"],
    }


def many(root: Path, sshd: Sshd, **changes: object) -> list[Path]:
    """Specs of as many moves, both servers of each on that machine."""
    specs = []
    for number in range(SPECS):
        folder = root / str(number)
        folder.mkdir()
        specs.append(write_world(folder))
        write_spec(specs[-1], **{side: behind(sshd, folder, side, **changes) for side in ("old", "new")})
    return specs


def connections(sshd: Sshd) -> int:
    return len(re.findall("Connection from ", sshd.log()))


@pytest.mark.daemon
def test_many_specs_on_one_machine_are_all_planned_over_one_connection(run, tmp_path, sshd) -> None:
    specs = many(tmp_path, sshd)
    shown = run("plan", *specs)
    assert shown.err == ""
    assert shown.code == 2
    assert [str(spec) in line for spec, line in zip(specs, shown.out.splitlines()[-SPECS:], strict=True)] == [
        True
    ] * SPECS
    assert sshd.logins() == 1
    assert "MaxStartups" not in sshd.log()
    assert "nonexistent channel" not in sshd.log()


@pytest.mark.daemon
def test_a_key_that_is_refused_is_shown_to_the_machine_once_for_all_specs_and_again_by_the_next_plan(
    run, tmp_path, sshd
) -> None:
    key = str(sshd.make_key("stranger"))
    before = connections(sshd)  # one asked whether it is up
    specs = many(tmp_path, sshd, key_file=key)
    shown = run("plan", *specs)
    assert shown.code == 1
    assert shown.err.count("does not let") == SPECS
    assert connections(sshd) - before == 1
    with (sshd.root / "authorized_keys").open("a") as file:
        file.write(sshd.public("stranger") + "\n")
    assert run("plan", *specs).code == 2
    assert sshd.logins() == 1


def test_sixteen_specs_are_planned_at_a_time_and_no_more(run, tmp_path, monkeypatch) -> None:
    counting, at_once, most, planned = Lock(), [0], [0], plan._planned
    full = Event()

    def counted(*args):
        with counting:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            if at_once[0] == 16:
                full.set()
        try:
            assert full.wait(PATIENCE), "never are so many planned at once"
            return planned(*args)
        finally:
            with counting:
                at_once[0] -= 1

    monkeypatch.setattr(plan, "_planned", counted)
    specs = [tmp_path / f"{number}.yaml" for number in range(60)]
    for spec in specs:
        spec.write_text("domain: example.org\n")
    assert run("plan", *specs).code == 1
    assert most[0] == 16
