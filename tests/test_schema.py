import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.cli.main import main
from reconciler.cli.run.schema import migration_schema, plan_schema
from tests.support.files_world import write_world

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "schemas"


class Yaml12(yaml.SafeLoader):
    """Dates are text, as editors read them."""


Yaml12.yaml_implicit_resolvers = {
    letter: [found for found in resolvers if found[0] != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_schema_of_a_spec_is_the_one_that_the_models_give():
    stands = (SCHEMAS / "migration.schema.json").read_text(encoding="utf-8")
    assert stands == migration_schema(), "stale: reconciler schema --out schemas/migration.schema.json"


def test_the_schema_of_a_saved_plan_is_the_one_that_the_models_give():
    stands = (SCHEMAS / "plan.schema.json").read_text(encoding="utf-8")
    assert stands == plan_schema(), "stale: reconciler schema --plan --out schemas/plan.schema.json"


def test_the_schemas_are_json():
    for file in SCHEMAS.glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["$schema"]


def complaints(schema: str, value: object) -> list[str]:
    read = json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))
    return [error.message for error in Draft202012Validator(read).iter_errors(value)]


class TestEditors:
    """What an editor with these schemas says of the examples, of the README's spec, and of a saved plan."""

    @pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*/migration.yaml")), ids=lambda path: path.parent.name)
    def test_the_examples_are_right(self, path: Path) -> None:
        spec = yaml.load(path.read_text(), Yaml12)
        assert complaints("migration.schema.json", spec) == []
        line = path.read_text().splitlines()[0]
        assert line == "# yaml-language-server: $schema=../../schemas/migration.schema.json"

    def test_mistakes_are_found_at_every_depth(self) -> None:
        spec = yaml.load((ROOT / "examples/quickstart/migration.yaml").read_text(), Yaml12)
        spec["dns"]["options"]["flie"] = "x"
        spec["mailboxes"][0]["quoat"] = "5 GiB"
        spec["stage"] = "prepair"
        said = " ".join(complaints("migration.schema.json", spec))
        assert all(word in said for word in ("flie", "quoat", "prepair"))

    def test_a_saved_plan_is_right(self, tmp_path: Path) -> None:
        spec, saved = write_world(tmp_path), tmp_path / "plan.json"
        assert main(["plan", str(spec), "--stage", "cutover", "--out", str(saved)]) == 2
        assert complaints("plan.schema.json", json.loads(saved.read_text())) == []


def test_the_spec_in_the_readme_is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"## A spec, explained\n+```yaml\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    (tmp_path / "migration.yaml").write_text(found[1])
    (tmp_path / "people.csv").write_text("EmailAddress,UserName\neve@example.org,Eve\n")
    assert main(["validate", str(tmp_path / "migration.yaml")]) == 0, capsys.readouterr()
