"""The JSON Schema of a spec, so that editors complete and check while it is written."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from reconciler.spec.servers import Dns, NewServer, OldServer
from reconciler.spec.spec import Spec

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODE: Final = "validation"
_STRAY: Final = ("ge", "le")  # what pydantic leaves of a limit on a type that it does not know; no JSON Schema words

OptionModels = Mapping[str, type[BaseModel]]


class _InSpecWords(GenerateJsonSchema):
    """A default time span is given in seconds, as a spec may have it, not in the notation of ISO 8601."""

    def encode_default(self, dft: Any) -> Any:
        return int(dft.total_seconds()) if isinstance(dft, timedelta) else super().encode_default(dft)


def spec_schema(server_options: OptionModels, dns_options: OptionModels) -> dict[str, Any]:
    """JSON Schema (draft 2020-12): the same for the same models, whatever the order they are given in.

    ``options`` is held to the model of the backend that stands beside it.
    """
    servers, zones = sorted(server_options.items()), sorted(dns_options.items())
    sections: list[type[BaseModel]] = [Spec, OldServer, NewServer, Dns]
    models = dict.fromkeys([*sections, *(model for _, model in servers + zones)])
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, _MODE) for model in models]
    references, whole = models_json_schema(asked, schema_generator=_InSpecWords)
    definitions: dict[str, Any] = _without_stray_limits(whole["$defs"])

    def defined(model: type[BaseModel]) -> tuple[str, dict[str, Any]]:
        reference = references[model, _MODE]["$ref"]
        return reference, definitions[reference.rpartition("/")[2]]

    for section, backends in ((OldServer, servers), (NewServer, servers), (Dns, zones)):
        _, schema = defined(section)
        schema["properties"]["backend"]["enum"] = [name for name, _ in backends]
        schema["allOf"] = [*_rules((name, *defined(model)) for name, model in backends)]
    reference, _ = defined(Spec)
    return {
        "$schema": DIALECT,
        "title": "migration.yaml",
        "$ref": reference,
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _rules(backends: Iterable[tuple[str, str, dict[str, Any]]]) -> Iterable[dict[str, Any]]:
    """For each backend: where it is named, the options are its own, and stand there if it cannot do without."""
    for name, reference, schema in backends:
        rule: dict[str, Any] = {"properties": {"options": {"$ref": reference}}}
        if schema.get("required"):
            rule["required"] = ["options"]
        yield {"if": {"properties": {"backend": {"const": name}}, "required": ["backend"]}, "then": rule}


def _without_stray_limits(schema: Any) -> Any:
    if isinstance(schema, list):
        return [*map(_without_stray_limits, schema)]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_stray_limits(value)
        for key, value in schema.items()
        if key not in _STRAY or not isinstance(value, int | float)
    }
