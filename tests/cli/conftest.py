import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from tests.support.files_world import write_world
from tests.support.program import started


@dataclass(frozen=True)
class Result:
    """What a person or a script sees of one command."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, without a terminal."""
    for name in ("NO_COLOR", "FORCE_COLOR", "RECONCILER_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Result(code, shown.out, shown.err)

    return command


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a process of its own."""
    children: list[subprocess.Popen[str]] = []

    def start(
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        keyboard: int = subprocess.DEVNULL,
        **popen: Any,
    ) -> subprocess.Popen[str]:
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        child = started(*arguments, environment=kept | dict(environment or {}), stdin=keyboard, **popen)
        children.append(child)
        return child

    yield start
    for child in children:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A world of real files, and its spec at the stage prepare."""
    return write_world(tmp_path)
