from pathlib import Path

import pytest
import yaml

from reconciler.errors import SpecError
from reconciler.spec import yaml_document
from reconciler.spec.yaml_document import compose


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def parser(request, monkeypatch):
    """Every message is the same with and without libyaml."""
    if request.param == "pure Python":
        body = {k: v for k, v in vars(yaml_document._Composer).items() if k not in {"__dict__", "__weakref__"}}

        def __init__(self, text):  # noqa: N807 - the original's super() is bound to the other parser
            yaml.SafeLoader.__init__(self, text)
            self._depth = 0

        monkeypatch.setattr(
            yaml_document, "_Composer", type("_Composer", (yaml.SafeLoader,), body | {"__init__": __init__})
        )


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 0), "is empty"),
        ("# only a comment\n", (0, 0), "is empty"),
        ("a: b: c\n", (1, 5), "': ' is not expected here"),
        ("a: 1\n\tb: 2\n", (2, 1), "a tab stands here"),
        ("a:\n  b: 1\n \tc: 2\n", (3, 2), "a tab stands here"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document begins here"),
        ("a: *b\n", (1, 4), "an alias (* and a name) without its anchor"),
        ("a: &x 1\nb: &x 2\nc: [*y]\n", None, None),
        ("a: @b\n", (1, 4), "no text without quotes begins with this character"),
        ("a: `b\n", (1, 4), "no text without quotes begins with this character"),
        ("a: [1, 2\nb: 3\n", None, None),
        ("a: 'b\n", None, "the quoted text that begins above is not closed"),
        ('a: "\\q"\n', None, "an unknown escape in double quotes"),
        ("a: !x!y z\n", (1, 4), "a spec has no tags"),
        ("a:\n  - 1\n  b: 2\n", (3, 3), "indentation"),
        ("a: 1\n  b: 2\n", (2, 4), "': ' is not expected here"),
        ("a: 1\nb\n", None, "there is no ': '"),
        ("[" * 70, (1, 64), "nested deeper than 64 levels"),
        ("- " * 500, None, "nested deeper than 64 levels"),
    ],
)
def test_what_is_no_yaml_is_explained_at_its_place(text: str, place: tuple[int, int] | None, message: str | None):
    with pytest.raises(SpecError) as caught:
        compose(text, Path("migration.yaml"))
    (problem,) = caught.value.problems
    assert problem.file == "migration.yaml"
    assert message is None or message in problem.message
    assert place in {None, (problem.line, problem.column)}
    assert problem.message != "this is not YAML"


def test_nesting_so_deep_that_it_would_overrun_the_stack_is_refused():
    with pytest.raises(SpecError, match="nested deeper"):
        compose("[" * 200_000, Path("migration.yaml"))


def test_nodes_know_where_they_stand():
    root = compose("a: 1\nb:\n  - c\n", Path("x"))
    mark = root.value[1][1].value[0].start_mark
    assert (mark.line, mark.column) == (2, 4)
