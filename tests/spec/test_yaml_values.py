from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.spec.yaml_document import compose
from reconciler.spec.yaml_values import ValueReader, plain


def read(text: str) -> tuple[object, list[tuple[int, str]]]:
    """The value, and (line, message) of each problem."""
    reader = ValueReader()
    value = reader.read(compose(text, Path("x")))
    return value, [(node.start_mark.line + 1, message) for node, message in reader.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2026-12-01", "2026-12-01"),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        ("+49", "+49"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
        ("0", 0),
        ("-7", -7),
        ("300", 300),
        ("0x1F", 31),
        ("0o640", 0o640),
        ("1.5", 1.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_plain_scalar_is_what_a_person_expects(text: str, value: object):
    assert plain(text) == value
    assert type(plain(text)) is type(value)


@given(st.integers(-(10**17), 10**17) | st.floats(0.001, 1e6))
def test_a_number_is_read_without_loss_or_stays_text(number: float):
    assert str(plain(str(number))) == str(number)


simple = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=10)


@given(st.recursive(simple, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=6), x, max_size=4)))
def test_what_a_machine_writes_is_read_back(tree):
    # merge keys are not YAML 1.2, and the writer quotes for YAML 1.1
    if "<<" not in repr(tree):
        assert read(yaml.safe_dump(tree)) == (tree, [])


def test_quoted_and_block_scalars_are_text():
    assert read("""{a: "1", b: 'true', c: !!str 12}""")[0] == {"a": "1", "b": "true", "c": "12"}
    assert read("a: |\n  1\n")[0] == {"a": "1\n"}


def test_keys_are_text():
    assert read("{1: a, true: b, ~: c}")[0] == {"1": "a", "true": "b", "~": "c"}


def test_a_key_that_stands_twice_is_reported_with_both_lines():
    value, problems = read("a: 1\nb: 2\na: 3\n")
    assert value == {"a": 1, "b": 2}
    assert problems == [(3, "the key 'a' stands twice; first on line 1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{[a]: b}", "a key is a word"),
        ("? {a: b}\n: c\n", "a key is a word"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "no merge key"),
        ("a: !!python/object:os.system {}\n", "no tags"),
        ("a: !!binary aGk=\n", "no tags"),
        ("a: !mine b\n", "no tags"),
        ("a: &x [*x]\n", "never end"),
        ("a: &x {b: {c: *x}}\n", "never end"),
    ],
)
def test_what_a_spec_has_no_use_for_is_refused(text: str, message: str):
    _, problems = read(text)
    assert len(problems) == 1
    assert message in problems[0][1]


def test_an_alias_is_the_value_of_its_anchor():
    assert read("a: &x [1, {b: 2}]\nc: *x\nd: *x\n") == ({k: [1, {"b": 2}] for k in "acd"}, [])


def test_aliases_that_explode_are_refused_at_once_and_once():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    _, problems = read(bomb)
    assert [message for _, message in problems] == ["its aliases (*) make this document larger than two million values"]
