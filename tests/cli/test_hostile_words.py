"""Both servers, the zone, the spec and the journal are hostile; no command shows a control character."""

import json
import sqlite3
import unicodedata
from pathlib import Path

import pytest

from tests.support.files_world import HASH, ZONE, write_spec, write_world

ESC = "\x1b[31m\x1b]0;pwned\x07\x9b2J\u202eevil\u2066\u200f"
SAID = " </td><script> [red] @octocat `"  # what a spec may call a person
COMMANDS = (
    ("validate",),
    ("validate", "--json"),
    *(("plan", "--verbose", "--format", form) for form in ("text", "markdown", "html", "json")),
    ("apply", "--yes"),
    ("status",),
    ("status", "--json"),
    ("history",),
    ("history", "--json"),
    ("history", "--run", "1"),
    ("history", "--run", "1", "--json"),
    ("apply", "--yes", "--json"),
    ("rollback", "--plan", "--all"),
    ("rollback", "--all", "--yes"),
)


def clean(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    spec = write_world(tmp_path, mailboxes=_people(), dmarc={"p": "reject"})
    for side in ("old", "new"):
        users = f"ann@example.org:{HASH}:5000:5000:An{ESC}n:/var/vmail/ann::\n"
        users += f"bob@example.org:{HASH}:5000:5000::/var/vmail/bob::\n"
        (tmp_path / side / "passwd").write_text(users)
        (tmp_path / side / "virtual").write_text(
            f"{side}{ESC}@example.org ann@example.org\n@octocat`|<!--x@example.org y{ESC}@example.net\n"
        )
    (tmp_path / "example.org.zone").write_text(
        ZONE.replace('_dmarc  IN TXT "v=DMARC1; p=none', '_dmarc  IN TXT "v=DMARC1; p=none; x=\\027[2J')
        + '@ IN TXT "\\027[2Jother\\007 \\226\\128\\174"\n'
        + "a\\027[31mb IN MX 10 x\\027[2J.example.\n"
    )
    return spec


def _people():
    return [{"address": "ann@example.org", "name": f"Ann{SAID}"}, {"address": "bob@example.org"}]


@pytest.mark.parametrize("stage", ["prepare", "harden"])
def test_no_command_shows_a_control_character(run, world, stage):
    write_spec(world, mailboxes=_people(), stage=stage)
    shown = []
    for name, *options in COMMANDS:
        told = run(name, world, *options)
        assert clean(told.out), (name, options)
        assert clean(told.err), (name, options)
        assert told.err + told.out
        assert name != "plan" or told.code == 2
        shown.append(told.out + told.err)
    assert "\\x1b[31m" in "".join(shown)


def test_errors_quote_a_spec_that_is_hostile(run, world):
    world.write_text(
        f"domain: 'example.org{ESC}'\n".replace("\x1b", "").replace("\x07", "") + 'stage: "a\\e[2J\\nerror: x"\n'
    )
    for name, *options in COMMANDS:
        told = run(name, world, *options)
        assert clean(told.out + told.err), (name, options)


def test_a_file_name_and_a_command_line_are_hostile(run, world):
    other = world.rename(world.with_name("spec\x1b[2J\nerror: forged.yaml"))
    for name, *options in COMMANDS:
        told = run(name, other, *options)
        assert clean(told.out + told.err), (name, options)
        assert "\nerror: forged" not in told.out + told.err
    told = run("plan", f"none{ESC}.yaml", f"--stage={ESC}")
    assert told.code == 1
    assert clean(told.err)


def test_a_journal_is_hostile(run, world):
    run("apply", world, "--yes")
    with sqlite3.connect(world.with_suffix(".journal")) as journal:
        tables = [name for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for _, column, kind, *_ in journal.execute(f"PRAGMA table_info({table})").fetchall():
                if column in {"host", "why", "outcome", "tool_version"} and "CHAR" in kind.upper():
                    journal.execute(f"UPDATE {table} SET {column} = ?", (f"h{ESC}\nforged",))
    for name, *options in COMMANDS:
        told = run(name, world, *options)
        assert clean(told.out + told.err), (name, options)
        assert "\nforged" not in told.out + told.err


def test_json_holds_the_exact_values(run, world):
    told = run("plan", world, "--format", "json")
    names = [step["after"].get("display_name") for step in json.loads(told.out)["steps"] if step["after"]]
    assert f"Ann{SAID}" in names
