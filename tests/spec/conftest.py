"""A spec in a folder, written line by line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Problem, SpecError
from reconciler.spec.load import load
from reconciler.spec.spec import Spec

SOUND = """\
domain: example.org
old: {backend: memory, mx: [10 mx.old.example], dkim: [s1]}
new: {backend: memory, mx: [10 mx.new.example], dkim: [s2]}
dns: {backend: memory}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of the spec's folder: (content, name, mode) to its path."""

    def write(content: str | bytes, name: str = "migration.yaml", mode: int = 0o600) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def problems_of(write: Callable[..., Path]) -> Callable[..., list[Problem]]:
    """The problems of a spec with this content; the sound one's four lines come first."""

    def problems_of(content: str | bytes, *, whole: bool = False, **options: Any) -> list[Problem]:
        if not whole:
            assert isinstance(content, str)
            content = f"{SOUND}{content}"
        path = write(content)
        with pytest.raises(SpecError) as caught:
            load(path, **options)
        return list(caught.value.problems)

    return problems_of


@pytest.fixture
def only_problem_of(problems_of: Callable[..., list[Problem]]) -> Callable[..., str]:
    """``LINE:COLUMN: message`` of the one problem that such a spec has."""

    def only_problem_of(content: str | bytes, **options: Any) -> str:
        (problem,) = problems_of(content, **options)
        return f"{problem.line}:{problem.column}: {problem.message}"

    return only_problem_of


@pytest.fixture
def loaded(write: Callable[..., Path]) -> Callable[..., Spec]:
    """The Spec of this content behind the sound one."""
    return lambda content="": load(write(f"{SOUND}{content}"))
