"""A copy of the quickstart, ways to run the program on it, and what every file of it is."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from tests.support.program import ROOT, started

QUICKSTART = ROOT / "examples" / "quickstart"
PATIENCE = 60  # seconds until a test gives up on a process
JOURNAL = "migration.journal"

# Root reads and writes whatever it wants; without these two rights it is held to permission bits like everybody else.
LIKE_EVERYBODY = (
    (
        "setpriv",
        "--bounding-set=-dac_override,-dac_read_search",
        "--inh-caps=-dac_override,-dac_read_search",
    )
    if os.geteuid() == 0
    else ()
)


@dataclass(frozen=True)
class Result:
    """What a person or a script sees of one command."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "RECONCILER_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The quickstart, in a folder of its own."""
    return Path(shutil.copytree(QUICKSTART, tmp_path / "world", ignore=shutil.ignore_patterns("plans")))


@pytest.fixture
def spec(world: Path) -> Path:
    return world / "migration.yaml"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process; no exception may leave it."""

    def command(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert "this is a bug" not in shown.err
        return Result(code, shown.out, shown.err)

    return command


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a process of its own; ``before`` are the words of a program that starts it."""
    children: list[subprocess.Popen[str]] = []

    def process(
        *arguments: object,
        before: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        **popen: Any,
    ) -> subprocess.Popen[str]:
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        given = kept if environment is None else environment
        child = started(*arguments, before=before, environment=given, **({"errors": "replace"} | popen))
        children.append(child)
        return child

    yield process
    for child in children:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.fixture
def process(start: Callable[..., subprocess.Popen[str]]) -> Run:
    """Run a command line as a process of its own, to its end."""

    def command(*arguments: object, **how: Any) -> Result:
        child = start(*arguments, **how)
        out, err = child.communicate(timeout=PATIENCE)
        assert "Traceback" not in (err or "")
        assert "this is a bug" not in (err or "")
        return Result(child.returncode, out or "", err or "")

    return command


def everything(world: Path, *without: str) -> dict[str, object]:
    """Every name in the folder, with what it is: contents and permission bits, or where a link leads."""
    found: dict[str, object] = {}
    for path in sorted(world.rglob("*")):
        name = str(path.relative_to(world))
        if name in without:
            continue
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = (path.stat().st_mode, _content(path))
        else:
            found[name] = path.stat().st_mode
    return found


def _content(path: Path) -> bytes | str:
    try:
        return path.read_bytes()
    except PermissionError:
        return "not ours to read"


@contextmanager
def nothing_changes(world: Path, *without: str) -> Iterator[None]:
    """Fail if a file of the world is another one afterwards, or if there is one more or one less."""
    before = everything(world, *without)
    yield
    after = everything(world, *without)
    assert after == before, sorted(name for name in before.keys() | after if before.get(name) != after.get(name))


def edit(path: Path, *replacements: tuple[str, str]) -> None:
    """Replace text that stands in the file once."""
    text = path.read_bytes().decode()
    for old, new in replacements:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    path.write_bytes(text.encode())


def goes_on(run: Run, spec: Path) -> None:
    """Once the input is mended, apply comes to its end, and nothing is left to do."""
    applied = run("apply", spec, "--yes")
    assert applied.code == 0, applied.said
    assert run("plan", spec).code == 0
