"""Whatever a mail server calls a folder and says of it, ``reconciler copy`` moves no cursor and forges no line."""

import csv
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddities import HangsUp, Refuses, When
from tests.fakes.imap_server import ImapServer

EVIL = "\x1b[31m\x1b]0;owned\x07\x9b2J\u202eevil\u2066\u200f\u2028\u2029\x7f\x85\tend"
SAID = EVIL.encode()
RAW = b"Raw\x1b[2J\x07\x7f\xc2\x9b2J\xe2\x80\xae"  # as octets, which no name in modified UTF-7 has
ENCODED = b"Coded&" + b"ABsAWwAyAEoABwB,AJsgLiAo" + b"-"  # ESC [ 2 J BEL DEL CSI RLO LS, in modified UTF-7
ANN, BOB, CLEO = "ann@example.org", "bob@example.org", "cleo@example.org"
FORGED = "\n[9/9] forged"


def clean(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text)


def old_server() -> ImapServer:
    folders = {
        b"INBOX": Folder(mails(3)),
        RAW: Folder(mails(2)),
        ENCODED: Folder(mails(1)),
        b"Refused" + RAW: Folder(mails(1)),
        b"Texts": Folder(mails(2)),
    }
    return ImapServer(
        folders,
        Refuses(When("LOGIN", BOB.encode()), b"NO [AUTHENTICATIONFAILED] " + SAID + b" pw"),
        HangsUp(When("LOGIN", CLEO.encode()), b"* BYE [UNAVAILABLE] " + SAID + b"\r\n"),
        Refuses(When("EXAMINE", b"Refused" + RAW), b"NO [NOPERM] " + SAID),
        Refuses(When("STATUS", b"Refused" + RAW), b"NO [NOPERM] " + SAID),
        Refuses(When("LSUB"), b"NO " + SAID),
        capabilities="IMAP4rev1 UIDPLUS NAMESPACE LITERAL+ X\x1b[31m\x07\x7f",
    )


def new_server() -> ImapServer:
    return ImapServer(
        {},
        Refuses(When("APPEND", holding=b"mail 2\r\n"), b"NO [CANNOT] " + SAID),
        Refuses(When("SUBSCRIBE"), b"NO " + SAID),
    )


@pytest.fixture
def servers() -> Iterator[tuple[ImapServer, ImapServer]]:
    with old_server() as old, new_server() as new:
        yield old, new


@pytest.fixture
def move(tmp_path: Path, servers: tuple[ImapServer, ImapServer], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PW", "pw")
    old, new = servers
    spec = {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": "10 mail.old.example"},
        "new": {"backend": "memory", "mx": "10 mail.new.example"},
        "dns": {"backend": "memory"},
        "copy": {
            "old": {"host": "127.0.0.1", "port": old.port, "tls": "none"},
            "new": {"host": "127.0.0.1", "port": new.port, "tls": "none"},
        },
        "mailboxes": [{"address": address, "old_password": "env:PW"} for address in (ANN, BOB)],
    }
    path = tmp_path / "migration.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def told(out: str) -> list[dict[str, Any]]:
    """Each line is JSON for whoever reads it."""
    return [json.loads(line) for line in out.splitlines()]


def test_a_look_at_hostile_servers(run, move):
    shown = run("copy", move, "--dry-run")
    assert clean(shown.out + shown.err)
    assert "\\x1b[2J" in shown.out
    assert "refused" in shown.out
    data = run("copy", move, "--dry-run", "--json")
    assert clean(data.out + data.err)
    (ann, bob) = told(data.out)
    assert any("\x9b" in folder["folder"] for folder in ann["folders"]), "programs get the names as they are"
    assert bob["state"] == "auth lost"


@pytest.mark.parametrize("color", [False, True])
def test_a_copy_between_hostile_servers(run, move, color, monkeypatch):
    folder = move.parent
    if color:
        monkeypatch.setenv("FORCE_COLOR", "1")
    for verify in ((), ("--verify",)):
        shown = run(
            "--log-file", folder / "log", "copy", move, *verify, "--report", folder / "r.csv", "--log-dir", folder / "l"
        )
        assert clean(uncoloured(shown.out + shown.err)), shown
        assert "refused" in shown.out
        assert FORGED not in shown.out + shown.err
    for path in (folder / "log", folder / "r.csv", *(folder / "l").iterdir()):
        assert clean(path.read_text()), path
    assert "\\x1b[2J" in (folder / "l" / f"{ANN}.log").read_text()
    rows = list(csv.reader((folder / "r.csv").read_text().splitlines()))
    assert {len(row) for row in rows} == {len(rows[0])}


def uncoloured(text: str) -> str:
    """Without the colours of our own."""
    for code in ("0", "1", "2", "31", "32", "33", "34"):
        text = text.replace(f"\x1b[{code}m", "")
    return text


def test_programs_get_json_lines_whatever_a_server_says(run, move):
    folder = move.parent
    for verify in ((), ("--verify",)):
        shown = run("copy", move, *verify, "--json", "--report", folder / "r.json")
        assert clean(shown.out + shown.err)
        events = told(shown.out)
        (ann,) = [each for each in events if each["event"] == "mailbox" and each["mailbox"] == ANN]
        assert any("evil" in refusal["words"] for refusal in ann["refusals"])
        report = (folder / "r.json").read_text()
        assert clean(report)
        assert json.loads(report)["outcomes"]


def test_the_words_of_a_server_that_hangs_up(run, move):
    spec = yaml.safe_load(move.read_text())
    spec["mailboxes"] = [{"address": CLEO, "old_password": "env:PW"}]
    move.write_text(yaml.safe_dump(spec, sort_keys=False))
    shown = run("copy", move, "--dry-run")
    assert clean(shown.out + shown.err)
    assert "UNAVAILABLE" in shown.out
    assert "evil" in shown.out


def test_capabilities_outside_ascii_are_no_bug_of_ours(run, move, servers):
    servers[0].capabilities += f" X{EVIL}"
    shown = run("copy", move, "--dry-run")
    assert clean(shown.out + shown.err)
    assert "announces capabilities that are not in ASCII" in shown.out
