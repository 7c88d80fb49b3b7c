"""docs/architecture.md shows the rooms as they are."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reconciler"
TEXT = (ROOT / "docs" / "architecture.md").read_text()


def test_every_room_has_a_line_and_no_line_is_about_a_room_that_is_not_there() -> None:
    rooms = TEXT.partition("## The rooms")[2].partition("\n    api, cli")[0]
    firsts = re.findall(r"^\| ([^|]+) \|", rooms, re.MULTILINE)
    named = {name.strip("/").removesuffix(".py") for first in firsts for name in re.findall(r"`([\w./]+)`", first)}
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "errors", "plugins"}
    assert named == folders | modules


def test_the_picture_has_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    picture = re.search(r"^    api, cli\n(?:    .+\n)+", TEXT, re.MULTILINE)
    assert picture
    shown = [frozenset(re.findall(r"\w+", line)) for line in picture[0].splitlines()]
    assert shown == [frozenset(re.findall(r"\w+", layer)) for layer in layers]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+\w+\.py)`", TEXT))))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (PACKAGE / path).is_file()


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    long = {path.name: count for path in PACKAGE.rglob("*.py") if (count := len(path.read_text().splitlines())) > 300}
    assert long == {}
