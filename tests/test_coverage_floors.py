"""The script that ends make test: what the tests have run, against the floor of each package."""

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "coverage-floors"


@dataclass(frozen=True)
class Judged:
    code: int
    out: str
    err: str


def judged(folder: Path, files: dict[str, tuple[int, int]], floors: str) -> Judged:
    """Files with the lines that were run and all their lines, and the rows of the table of floors."""
    report, pyproject = folder / "coverage.json", folder / "pyproject.toml"
    summaries = {
        file: {"summary": {"covered_lines": run, "num_statements": lines}} for file, (run, lines) in files.items()
    }
    report.write_text(json.dumps({"files": summaries}))
    pyproject.write_text(f"[tool.reconciler.coverage-floors]\n{floors}")
    return started(report, pyproject)


def started(*arguments: Path) -> Judged:
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
    return Judged(done.returncode, done.stdout, done.stderr)


def test_packages_at_their_floor_and_above_it_pass_and_all_are_shown(tmp_path: Path) -> None:
    files = {"reconciler/app/move.py": (9, 10), "reconciler/spec/load.py": (97, 100)}
    said = judged(tmp_path, files, "app = 90\nspec = 95\n")
    assert (said.code, said.err) == (0, "")
    assert said.out == "package     run  floor\napp        90.0     90\nspec       97.0     95\n"


def test_each_package_below_its_floor_is_named_with_both_figures(tmp_path: Path) -> None:
    files = {"reconciler/app/move.py": (8, 10), "reconciler/cli/main.py": (9, 10), "reconciler/spec/load.py": (1, 3)}
    said = judged(tmp_path, files, "app = 81\ncli = 90\nspec = 34\n")
    assert said.code == 1
    assert said.err.splitlines() == [
        "coverage-floors: app: the tests run 80.0 % of its lines; its floor is 81 %: test what is new",
        "coverage-floors: spec: the tests run 33.3 % of its lines; its floor is 34 %: test what is new",
    ]


def test_lines_are_counted_over_all_files_of_a_package_however_deep_they_lie(tmp_path: Path) -> None:
    files = {"reconciler/app/move.py": (90, 90), "reconciler/app/copying/steps.py": (0, 10)}
    assert judged(tmp_path, files, "app = 90\n").code == 0
    assert "app: the tests run 90.0 %" in judged(tmp_path, files, "app = 91\n").err


def test_modules_that_stand_in_no_package_have_a_floor_under_the_name_of_the_project(tmp_path: Path) -> None:
    files = {"reconciler/errors.py": (6, 10), "reconciler/ports.py": (10, 10)}
    assert judged(tmp_path, files, "reconciler = 80\n").code == 0
    assert judged(tmp_path, files, "reconciler = 81\n").code == 1


def test_a_package_without_a_line_to_run_is_run_in_full(tmp_path: Path) -> None:
    assert judged(tmp_path, {"reconciler/app/__init__.py": (0, 0)}, "app = 100\n").code == 0


def test_a_package_without_a_floor_fails(tmp_path: Path) -> None:
    said = judged(tmp_path, {"reconciler/app/move.py": (1, 1), "reconciler/queue/jobs.py": (3, 4)}, "app = 90\n")
    assert said.code == 1
    assert "queue: has no floor, and the tests run 75.0 % of its lines: add it to [tool.reconciler.cov" in said.err


def test_a_floor_without_a_package_fails(tmp_path: Path) -> None:
    said = judged(tmp_path, {"reconciler/app/move.py": (1, 1)}, "app = 90\nbackends = 90\n")
    assert said.code == 1
    assert said.err.startswith("coverage-floors: backends: has a floor and is no package: take it out")


def test_a_report_that_is_not_there_fails_and_is_named(tmp_path: Path) -> None:
    said = started(tmp_path / "none.json", ROOT / "pyproject.toml")
    assert said.code == 1
    assert "none.json" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("content", ["", "{}", "no JSON"])
def test_a_report_that_was_cut_short_fails(tmp_path: Path, content: str) -> None:
    (tmp_path / "coverage.json").write_text(content)
    said = started(tmp_path / "coverage.json", ROOT / "pyproject.toml")
    assert said.code == 1
    assert "Traceback" not in said.err


def test_every_package_of_the_project_has_a_floor_and_no_other_name_has() -> None:
    """So that a new package is told of before everything was run and measured."""
    floors = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["reconciler"]["coverage-floors"]
    packages = {folder.parent.name for folder in (ROOT / "reconciler").glob("*/__init__.py")}
    assert set(floors) == packages | {"reconciler"}
