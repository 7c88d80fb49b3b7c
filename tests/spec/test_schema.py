import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from reconciler.spec.frozen import Frozen
from reconciler.spec.schema import spec_schema
from reconciler.spec.spec import Spec


class FileOptions(Frozen):
    path: str
    """Where the zone is."""


class Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")
    speed: int = 1


def elsewhere() -> type[BaseModel]:
    class FileOptions(Frozen):
        folder: str = "/etc"

    return FileOptions


SCHEMA = spec_schema({"plain": Plain, "files": elsewhere()}, {"zonefile": FileOptions, "plain": Plain})


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(inner)


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][name]
    return found


def test_it_is_json_of_the_2020_dialect_and_every_reference_leads_somewhere():
    json.dumps(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = [node["$ref"] for node in walk(SCHEMA) if "$ref" in node]
    assert references
    for reference in references:
        assert reference.removeprefix("#/$defs/") in SCHEMA["$defs"]


def test_it_does_not_depend_on_the_order_in_which_backends_are_given():
    swapped = spec_schema({"files": elsewhere(), "plain": Plain}, {"plain": Plain, "zonefile": FileOptions})
    alike = re.compile(r"tests__spec\w*|test_schema\w*")  # two local classes of one name differ by where they are made
    assert alike.sub("", json.dumps(swapped)) == alike.sub("", json.dumps(SCHEMA))
    assert [*SCHEMA["$defs"]] == sorted(SCHEMA["$defs"])


def test_the_options_follow_the_backend_that_stands_beside_them():
    for section, names in (
        ("OldServer", ["files", "plain"]),
        ("NewServer", ["files", "plain"]),
        ("Dns", ["plain", "zonefile"]),
    ):
        assert definition(section)["properties"]["backend"]["enum"] == names
        assert [rule["if"]["properties"]["backend"]["const"] for rule in definition(section)["allOf"]] == names
    rule = definition("Dns")["allOf"][1]["then"]
    options = SCHEMA["$defs"][rule["properties"]["options"]["$ref"].removeprefix("#/$defs/")]
    assert options["properties"]["path"]["description"] == "Where the zone is."
    assert options["additionalProperties"] is False


def test_options_are_required_only_where_a_backend_cannot_do_without():
    plain, zonefile = (rule["then"] for rule in definition("Dns")["allOf"])
    assert zonefile["required"] == ["options"]
    assert "required" not in plain


def test_every_key_of_the_spec_is_there_and_unknown_ones_are_refused():
    spec = definition("Spec")
    assert set(spec["properties"]) == {field.alias or name for name, field in Spec.model_fields.items()}
    assert spec["additionalProperties"] is False
    assert spec["required"] == ["domain", "old", "new", "dns"]
    assert spec["properties"]["stage"]["enum"] == ["prepare", "overlap", "cutover", "harden", "decommission"]
    assert spec["properties"]["mailboxes_from"]["description"].startswith("A CSV file")


def test_what_may_be_written_as_text_is_text_or_mapping():
    for name in ("Exchange", "DkimKey"):
        text, mapping = definition(name)["anyOf"]
        assert text["type"] == "string"
        assert mapping["additionalProperties"] is False
    assert re.fullmatch(definition("Exchange")["anyOf"][0]["pattern"], "10 mail.example.org")
    one, many = definition("NewServer")["properties"]["mx"]["anyOf"]
    assert one == {"$ref": "#/$defs/Exchange"}
    assert many["minItems"] == 1
    one, many = definition("Spec")["properties"]["aliases"]["additionalProperties"]["anyOf"]
    assert (one["type"], many["type"]) == ("string", "array")


def test_the_defaults_are_written_as_a_person_may_write_them():
    assert definition("Waits")["properties"]["decommission"]["default"] == 7 * 86400
    defaults = {name: p["default"] for name, p in definition("Spec")["properties"].items() if "default" in p}
    sections = [d for d in defaults.values() if isinstance(d, dict)]
    assert sections
    assert not re.search(r'"P\d', json.dumps(SCHEMA))


def test_no_words_are_left_that_json_schema_does_not_have():
    for node in walk(SCHEMA):
        assert not any(isinstance(node.get(word), int) for word in ("ge", "le", "gt", "lt"))
