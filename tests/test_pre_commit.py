"""What is looked at before a commit is what make lint looks at, and nothing else."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CONFIGURED = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = [hook for repository in CONFIGURED["repos"] for hook in repository["hooks"]]


def test_the_hooks_are_the_lines_of_make_lint() -> None:
    found = re.search(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    lines = [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]
    assert [hook["entry"] for hook in HOOKS] == lines


def test_no_hook_is_fetched_from_anywhere() -> None:
    assert {repository["repo"] for repository in CONFIGURED["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}
