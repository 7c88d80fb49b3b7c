import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from tests.support.files_world import write_world

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "import sys; from reconciler.cli.main import main; sys.exit(main())")


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
    started: list[subprocess.Popen[str]] = []

    def start(
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        keyboard: int = subprocess.DEVNULL,
        **popen: Any,
    ) -> subprocess.Popen[str]:
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        child = subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            stdin=keyboard,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | dict(environment or {}),
            **popen,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A world of real files, and its spec at the stage prepare."""
    return write_world(tmp_path)
