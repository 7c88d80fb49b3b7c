"""Compose the one YAML document of a spec: nodes that know their line and column, or problems in plain words."""

import re
from pathlib import Path
from typing import Final

import yaml

from reconciler.errors import Problem, SpecError
from reconciler.spec.text_file import lines_of

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML was built without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

PLAIN: Final = "?"  # tag of a scalar without quotes: its text decides what it is
TEXT: Final = "tag:yaml.org,2002:str"
_DEEPEST: Final = 64  # levels; a spec needs eight, and the C composer recurses on the machine's stack

_WORDS: Final = (
    (
        r"mapping values are not allowed",
        "a ': ' is not expected here: put the text into quotes, or mend the indentation",
    ),
    (r"could not find expected ':'", "expected 'key: value', and there is no ': '"),
    (
        r"did not find expected key|expected <block end>",
        "expected a key here: the indentation does not fit the lines above",
    ),
    (r"expected '-' indicator|block sequence entries", "a list entry '- …' is not expected here: mend the indentation"),
    (r"expected ',' or", "expected ',' or the closing bracket of a list [ … ] or mapping { … }"),
    (r"expected (?:the )?node content", "expected a value here"),
    (r"unexpected end of stream", "the quoted text that begins above is not closed"),
    (r"unexpected document indicator", "the quoted text that begins above is not closed before the next document"),
    (
        r"undefined alias",
        "an alias (* and a name) without its anchor (& and the name); put text that begins with * in quotes",
    ),
    (r"duplicate anchor", "the same anchor (& and a name) stands twice"),
    (r"cannot start any token", "no text without quotes begins with this character: put it in quotes"),
    (r"unknown escape character", "an unknown escape in double quotes: write a backslash twice, or use single quotes"),
    (r"undefined tag handle|scanning a tag|parsing a tag|did not find the expected tag", "a spec has no tags (!…)"),
    (r"alphabetic or numeric character", "a name is missing after & or *: put text that begins with it in quotes"),
    (r"expected a single document", "a second document begins here: a spec is one domain, one document, one file"),
    (r"expected <document start>", "expected 'key: value' at the left margin"),
    (r"tab", "a tab stands here: YAML indents with spaces only"),
)


class _Composer(_Loader):
    """Leaves the meaning of plain scalars open: YAML 1.1, which PyYAML resolves by, reads ``no`` as false."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[yaml.Node], _value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if isinstance(implicit, tuple) and implicit[0] else TEXT
        return "tag:yaml.org,2002:map" if kind is yaml.MappingNode else "tag:yaml.org,2002:seq"

    def descend_resolver(self, current_node: yaml.Node | None, _current_index: object) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            where = current_node.start_mark if current_node else None
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=where)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def compose(text: str, path: Path) -> yaml.Node:
    """The root node.

    Raises:
        SpecError: it is not one YAML document. The text is not quoted: what cannot be read may hold a password.

    """
    problem: Problem
    try:
        loader = _Composer(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        problem = _problem(error, text, path)
    except yaml.YAMLError:
        problem = Problem(str(path), 0, 0, "has a character that YAML does not allow")
    else:
        if root is not None:
            return root
        problem = Problem(str(path), 0, 0, "is empty: expected a spec, which begins with 'domain: example.org'")
    raise SpecError(problem)


def _problem(error: yaml.MarkedYAMLError, text: str, path: Path) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = lines_of(text)
    indent = re.match(r"[ \t]*", lines[line]) if line < len(lines) else None
    if indent and "\t" in indent[0]:
        message, column = "a tab stands here: YAML indents with spaces only", indent[0].index("\t")
    else:
        message = _in_words(f"{error.context or ''} {error.problem or ''}")
    return Problem(str(path), line + 1, column + 1, message)


def _in_words(said: str) -> str:
    if "nested too deep" in said or "maximum nesting depth" in said:  # libyaml has a limit of its own since 0.2.6
        return f"nested deeper than {_DEEPEST} levels: no spec is"
    return next((words for pattern, words in _WORDS if re.search(pattern, said)), "this is not YAML")
