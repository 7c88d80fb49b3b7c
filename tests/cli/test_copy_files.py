import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.dovecot import Dovecot
from tests.lab.mail_files import prepared
from tests.lab.mailbox import fill
from tests.lab.sshd import Sshd

pytestmark = pytest.mark.daemon

_NAMES = [f"person{number}@example.org" for number in range(1, 40)]
_next = count()
PLAIN = ((), ("Work",), ("Größe & Maße",))


def _server(name: str) -> Iterator[Dovecot]:
    server = Dovecot(name)
    for address in _NAMES:
        server.add_user(address)
    yield server.start()
    server.remove()


@pytest.fixture(scope="module")
def old() -> Iterator[Dovecot]:
    yield from _server("files-cli-old")


@pytest.fixture(scope="module")
def new() -> Iterator[Dovecot]:
    yield from _server("files-cli-new")


@pytest.fixture
def people() -> list[str]:
    return [_NAMES[next(_next)] for _ in range(2)]


@pytest.fixture
def move(tmp_path: Path, old: Dovecot, new: Dovecot, people: list[str]) -> Path:
    spec = {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": "10 mail.old.example"},
        "new": {"backend": "memory", "mx": "10 mail.new.example"},
        "dns": {"backend": "memory"},
        "copy": {
            "old": {"maildir": f"{old.root}/mail/%n@%d/Maildir"},
            "new": {"maildir": f"{new.root}/mail/%u/Maildir"},
        },
        "mailboxes": [{"address": address} for address in people],
    }
    for seed, address in enumerate(people):
        fill(old, address, seed, 20, PLAIN)
        prepared(new, address)
    return written(tmp_path / "migration.yaml", spec)


def written(path: Path, spec: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def change(path: Path, **sections: Any) -> None:
    """As a person edits the spec: whole sections, or keys of the section copy."""
    spec = yaml.safe_load(path.read_text())
    for key, value in sections.items():
        if key in {"old_mail", "new_mail"}:
            spec["copy"][key.partition("_")[0]] = value
        else:
            spec[key] = value
    written(path, spec)


def test_maildirs_are_copied_and_the_judge_says_perfect(run, move, old, new, people):
    first = run("copy", move, "--verify")
    assert first.code == 0, first
    assert "messages   40 = 40 copied" in first.out
    assert "measuring 2 mailboxes" in first.err
    assert " to copy; the biggest first: " in first.err
    assert "proof      2 Perfect" in first.out
    again = run("copy", move, people[0])
    assert again.code == 0
    assert "this pass  0 sent" in again.out
    for address in people:
        assert new.seen(address) == old.seen(address)


def test_the_plan_of_folders_is_shown_and_nothing_written(run, move, new, people):
    shown = run("copy", move, "--dry-run")
    assert shown.code == 0, shown
    assert "Größe & Maße  ->  Größe & Maße  same name; " in shown.out
    assert not any(new.seen(address) for address in people)


def test_what_came_to_the_new_server_is_brought_back(run, move, old, new, people):
    assert run("copy", move).code == 0
    (late,) = (new.maildir(people[0]) / "new" / name for name in ("1.late.host",))
    late.write_bytes(b"Message-ID: <late@x>\n\nlate\n")
    new.own(late)
    back = run("copy", move, "--back")
    assert back.code == 0, back
    assert "this pass  1 sent" in back.out
    assert "40 stood there already" in back.out
    assert sum(old.seen(people[0]).values()) == 21


def test_a_path_that_leads_nowhere_needs_a_person(run, move, new):
    change(move, old_mail={"maildir": f"{new.root}/nowhere/%u"})
    shown = run("copy", move)
    assert shown.code == 4
    assert "2 looks empty" in shown.out
    assert "there is no mailbox at" in shown.out


def test_a_mailbox_is_not_copied_into_itself(run, move, old):
    change(move, new_mail={"maildir": f"{old.root}/mail/%u/Maildir"})
    shown = run("copy", move)
    assert shown.code == 1
    assert "are the same place" in shown.err


def test_mbox_files_are_a_source_only(run, move, tmp_path, new, people):
    spool = tmp_path / "spool"
    spool.mkdir()
    for address in people:
        file = spool / address.partition("@")[0]
        file.write_bytes(b"From a@x Mon Jan  1 10:00:00 2024 +0000\nMessage-ID: <1@x>\nStatus: RO\n\nbody\n\n")
        os.utime(file, (1_700_000_000, 1_700_000_000))
    change(move, old_mail={"mbox": "spool/%n"})
    shown = run("copy", move, "--verify")
    assert shown.code == 0, shown
    assert "proof      2 Perfect" in shown.out
    assert [seen.flags for seen in new.seen(people[0])] == [{"\\Seen"}]
    back = run("copy", move, "--back")
    assert back.code == 1
    assert "mbox files, which are only read" in back.err
    change(move, new_mail={"mbox": "spool/%n"})
    assert "mbox files are a source only" in run("validate", move).out


def test_the_machine_is_that_of_the_servers_own_files(run, move, old, new, people):
    sshd = Sshd().start()
    try:
        ssh = sshd.ssh().model_dump(mode="json", exclude_none=True)
        options = {"ssh": ssh, "passwd_file": "/nowhere/users", "virtual_alias_maps": "hash:/nowhere/virtual"}
        server = {"backend": "postfix_dovecot", "options": options}
        change(move, old={**server, "mx": "10 mail.old.example"}, new={**server, "mx": "10 mail.new.example"})
        shown = run("copy", move, "--verify")
        assert shown.code == 0, shown
        assert "proof      2 Perfect" in shown.out
        assert sshd.logins() == 1  # both servers are on it, and share the connection
        for address in people:
            assert new.seen(address) == old.seen(address)
        change(move, old_mail={"maildir": "relative/%u"})
        relative = run("copy", move)
        assert (relative.code, "begins with a slash" in relative.err) == (1, True)
    finally:
        sshd.remove()
