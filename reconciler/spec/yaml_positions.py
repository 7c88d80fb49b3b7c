"""Where in the YAML text the value of a model's field stands."""

from typing import NamedTuple

import yaml

from reconciler.spec.yaml_document import PLAIN
from reconciler.spec.yaml_values import plain

Loc = tuple[int | str, ...]
"""Keys and indices from the root, as pydantic gives them: with ``[key]`` at the end for a key itself."""


class Spot(NamedTuple):
    """The node a loc leads to; ``path`` is how far the text has it, ``rest`` what the text does not have."""

    node: yaml.Node
    path: Loc
    rest: Loc

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def empty(self) -> bool:
        """Whether nothing stands there: ``null``, or a key without a value."""
        return self.node.tag == PLAIN and plain(str(self.node.value)) is None

    @property
    def column(self) -> int:
        """Counted from 1."""
        return int(self.node.start_mark.column) + 1


class Positions:
    """Finds spots under one root; the keys of each mapping are looked through once."""

    def __init__(self, root: yaml.Node) -> None:
        """Look at nothing yet: most specs have no error."""
        self._root = root
        self._keys: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}

    def find(self, loc: Loc, *, key: bool = False) -> Spot:
        """The deepest node on the way; with ``key`` the key of the last mapping entry instead of its value.

        Steps that the text does not have (the branch of a union, the one entry of a list written as text) are left out.
        """
        node, entry = self._root, self._root
        path: list[int | str] = []
        rest: list[int | str] = []
        for step in loc:
            if isinstance(node, yaml.MappingNode) and isinstance(step, str) and step in self._entries(node):
                entry, node = self._entries(node)[step]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                entry = node = node.value[step]
            else:
                rest.append(step)
                continue
            path.append(step)
        return Spot(entry if key or rest[-1:] == ["[key]"] else node, tuple(path), tuple(rest))

    def _entries(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        if id(node) not in self._keys:
            entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
            for key, content in node.value:
                if isinstance(key, yaml.ScalarNode):
                    entries.setdefault(key.value, (key, content))
            self._keys[id(node)] = entries
        return self._keys[id(node)]
