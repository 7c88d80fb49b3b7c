"""In the JSON Schema: what may also be written shorter than the model has it."""

from collections.abc import Callable
from typing import Any


def or_text(pattern: str) -> Callable[[dict[str, Any]], None]:
    """Of a model: it may also be written as text of this pattern."""

    def widen(schema: dict[str, Any]) -> None:
        mapping = {key: schema.pop(key) for key in tuple(schema) if key not in {"title", "description"}}
        schema["anyOf"] = [{"type": "string", "pattern": pattern}, mapping]

    return widen


def or_one(schema: dict[str, Any]) -> None:
    """Of a list: its only entry may also stand without the list."""
    listed = {key: schema.pop(key) for key in tuple(schema) if key not in {"title", "description"}}
    schema["anyOf"] = [listed["items"], listed]
