"""Nodes to plain values, by the YAML 1.2 core schema: ``no``, ``on``, ``1:30`` and ``2026-12-01`` are text.

A number is a number where that loses nothing: ``0123`` and ``1.10`` stay text, so that a display name keeps its zeros;
where a number is expected, the model reads it from the text. (YAML 1.2.2, section 10.3)
"""

import re
from collections.abc import Iterable
from typing import Final

import yaml

from reconciler.spec.yaml_document import PLAIN, TEXT

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_MOST_NODES: Final = 2_000_000  # with every alias written out; fifty thousand mailboxes take half a million
_CORE: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str"))
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
_FLOAT: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
_DIGITS: Final = frozenset("-0123456789")  # every number begins with one of them


class ValueReader:
    """Walks the nodes once. ``problems`` collects (node, message) on the way."""

    def __init__(self) -> None:
        """Begin with no problem."""
        self.problems: list[tuple[yaml.Node, str]] = []
        self._nodes = 0
        self._known: dict[int, tuple[Value, int]] = {}
        self._open: set[int] = set()

    def read(self, node: yaml.Node) -> Value:
        """The value; of a key that stands twice the first, and None in the place of what has no value."""
        self._nodes += 1
        if type(node) is yaml.ScalarNode:
            return self._scalar(node)
        known = self._known.get(id(node))
        if known:
            self._nodes += known[1]
            if self._nodes > _MOST_NODES:
                self._complain_once(node, "its aliases (*) make this document larger than two million values")
                return None
            return known[0]
        if id(node) in self._open:
            self._complain_once(node, "an alias (*) inside of what it stands for: this would never end")
            return None
        if node.tag not in _CORE:
            self.problems.append((node, "a spec has no tags (!…)"))
        before = self._nodes
        self._open.add(id(node))
        value: Value = self._mapping(node) if isinstance(node, yaml.MappingNode) else [*map(self.read, node.value)]
        self._open.discard(id(node))
        self._known[id(node)] = value, self._nodes - before
        return value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Value]:
        value: dict[str, Value] = {}
        for key, content in node.value:
            if type(key) is not yaml.ScalarNode:
                self.problems.append((key, "a key is a word, not a list or mapping"))
            elif key.value in value:
                self.problems.append((key, f"the key '{key.value}' stands twice; first {_first(node, key.value)}"))
            elif key.value == "<<" and key.tag == PLAIN:
                self.problems.append((key, "'<<' is no merge key in YAML 1.2: write the keys out"))
            else:
                value[key.value] = self.read(content)
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        text: str = node.value
        if node.tag == TEXT:
            return text
        if node.tag != PLAIN and node.tag not in _CORE:
            self.problems.append((node, "a spec has no tags (!…); put text that begins with ! in quotes"))
            return None
        return plain(text)

    def _complain_once(self, node: yaml.Node, message: str) -> None:
        if all(message != said for _, said in self.problems):
            self.problems.append((node, message))


def plain(text: str) -> Value:
    """What text without quotes is."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and str(float(text)) == text:
        return float(text)
    return text


def _first(node: yaml.MappingNode, text: str) -> str:
    keys: Iterable[yaml.Node] = (key for key, _ in node.value)
    mark = next(key.start_mark for key in keys if key.value == text)
    return f"on line {mark.line + 1}"
