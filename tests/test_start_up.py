"""What each command may load: a library that takes long to import waits until a spec asks for what it does.

The table below is the one place where that is written down. A command that loads more fails here, with the name.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.files_world import write_world

ROOT = Path(__file__).parents[1]

TYPER = {"typer"}
SPEC = TYPER | {
    "dns",
    "idna",
    "pydantic",
    "sievelib",
    "yaml",
}  # a spec, its kinds, products that keep nothing
FILES = SPEC | {"bcrypt"}  # accounts in files
RULES = FILES | {"jinja2"}  # forward-and-retain filters
JOURNAL = RULES | {"sqlalchemy"}

LIBRARIES = JOURNAL | {
    "asyncio", "cryptography", "deepdiff", "dkim", "httpx", "imapclient", "managesieve", "octodns", "paramiko", "rich",
    "spf",
}  # fmt: skip
"""What takes time to load; of Python's own library asyncio, which SQLAlchemy asks for."""
MAY_LOAD: dict[tuple[str, ...], set[str]] = {
    ("--help",): TYPER,
    ("--version",): TYPER,
    **{
        (command, "--help"): TYPER | {"pydantic"}  # of a command Typer itself asks pydantic to read the values
        for command in ("validate", "plan", "apply", "rollback", "copy", "status", "history", "schema", "demo")
    },
    ("validate", "memory.yaml"): SPEC,
    ("plan", "memory.yaml"): SPEC,
    ("schema",): FILES,
    ("schema", "--backends"): FILES,
    ("validate", "migration.yaml"): FILES,
    ("plan", "migration.yaml"): RULES,
    ("plan", "migration.yaml", "--stage", "cutover", "--format", "markdown"): RULES,
    ("plan", "migration.yaml", "--format", "html"): RULES,
    ("plan", "migration.yaml", "--format", "json"): RULES,
    ("status", "migration.yaml"): RULES,
    ("history", "migration.yaml"): FILES,
    ("apply", "migration.yaml", "--yes"): JOURNAL | {"asyncio"},
}
MAY_LOAD_TO_COMPLETE = {
    "reconciler pl": TYPER | {"pydantic"},
    "reconciler status --": TYPER | {"pydantic"},
    "reconciler validate x": TYPER | {"pydantic"},
    "reconciler plan x": TYPER | {"pydantic"},
    "reconciler plan x.yaml --stage c": TYPER | {"pydantic"},
    "reconciler plan x.yaml --format m": TYPER | {"pydantic"},
}
CONTACTS_NOBODY = {"paramiko", "imapclient", "httpx", "octodns", "dkim", "spf", "managesieve"}
MEMORY = """\
domain: example.org
stage: prepare
old: {backend: memory, mx: 10 mail.old.example, senders: [ip4:192.0.2.10]}
new: {backend: memory, mx: 10 mail.new.example, senders: [ip4:198.51.100.7]}
dns: {backend: memory}
mailboxes: [{address: ann@example.org, password: env:PASSWORD}]
"""
WORDS = re.compile(r"reconciler\.cli($|\.(?!run\b))")
"""All of ours that help needs: the commands' words, and nothing that carries them out."""
ENDED = (0, 2, 3)  # done, changes are planned, waiting


def loaded(code: str, folder: Path, **environment: str) -> tuple[int, set[str]]:
    """What ``code``, ended by SystemExit or not, has loaded in an interpreter of its own, and with what it ended."""
    left = folder / "loaded.json"
    program = (
        "import json, sys\ncode = 0\ntry:\n"
        f"    {code}\n"
        "except SystemExit as ended:\n    code = ended.code\n"
        f"open({str(left)!r}, 'w').write(json.dumps([code, list(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert left.exists(), done.stderr
    ended, modules = json.loads(left.read_text())
    return ended, set(modules)


def libraries(modules: set[str]) -> set[str]:
    return LIBRARIES & {name.partition(".")[0] for name in modules}


def program(arguments: Sequence[str]) -> str:
    return f"from reconciler.cli.main import main; code = main({list(arguments)!r})"


@pytest.mark.parametrize("arguments", MAY_LOAD, ids=" ".join)
def test_a_command_loads_what_it_needs_and_no_more(arguments: tuple[str, ...], tmp_path: Path) -> None:
    write_world(tmp_path)
    (tmp_path / "memory.yaml").write_text(MEMORY)
    code, modules = loaded(program(arguments), tmp_path)
    assert code in ENDED
    assert libraries(modules) - MAY_LOAD[arguments] == set()
    if arguments[-1] in {"--help", "--version"}:
        assert not {name for name in modules if name.startswith("reconciler.") and not WORDS.match(name)}


@pytest.mark.parametrize("words", MAY_LOAD_TO_COMPLETE)
def test_completion_loads_what_it_needs_and_no_more(words: str, tmp_path: Path) -> None:
    asked = {"_RECONCILER_COMPLETE": "complete_bash", "COMP_WORDS": words.replace(" ", "\n")}
    asked["COMP_CWORD"] = str(words.count(" "))
    _, modules = loaded(program([]), tmp_path, **asked)
    assert libraries(modules) - MAY_LOAD_TO_COMPLETE[words] == set()


def test_the_package_itself_loads_nothing(tmp_path: Path) -> None:
    _, modules = loaded("import reconciler", tmp_path)
    assert libraries(modules) == set()
    assert {name for name in modules if name.startswith("reconciler")} == {"reconciler"}


def test_nothing_of_the_table_contacts_anybody() -> None:
    assert not set().union(*MAY_LOAD.values(), *MAY_LOAD_TO_COMPLETE.values()) & CONTACTS_NOBODY


def test_every_library_that_the_project_needs_is_in_the_table_of_what_is_looked_for() -> None:
    """So that a new one is looked for too; the name to import is told where it is another."""
    named = {"dkimpy": "dkim", "dnspython": "dns", "pyspf": "spf", "pyyaml": "yaml"}
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.partition(">")[0].partition("[")[0].lower() for line in needed}
    assert {named.get(name, name) for name in names} <= LIBRARIES


def test_every_module_can_be_imported_without_a_warning_or_a_word() -> None:
    code = (
        "import pkgutil, reconciler\n"
        "from importlib import import_module\n"
        "def failed(name): raise\n"
        "for found in pkgutil.walk_packages(reconciler.__path__, 'reconciler.', failed): import_module(found.name)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
