import json
from pathlib import Path

from reconciler.cli.run.schema import migration_schema, plan_schema

SCHEMAS = Path(__file__).parents[1] / "schemas"


def test_the_schema_of_a_spec_is_the_one_that_the_models_give():
    stands = (SCHEMAS / "migration.schema.json").read_text(encoding="utf-8")
    assert stands == migration_schema(), "stale: reconciler schema --out schemas/migration.schema.json"


def test_the_schema_of_a_saved_plan_is_the_one_that_the_models_give():
    stands = (SCHEMAS / "plan.schema.json").read_text(encoding="utf-8")
    assert stands == plan_schema(), "stale: reconciler schema --plan --out schemas/plan.schema.json"


def test_the_schemas_are_json():
    for file in SCHEMAS.glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["$schema"]
