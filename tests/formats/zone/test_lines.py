"""A zone's text as logical entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.formats.zone.lines import LineError, entries_of


def words(text: str) -> list[list[str]]:
    return [[text[slice(*span)] for span in entry.words] for entry in entries_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b\n", [["a", "b"]]),
        ("a b", [["a", "b"]]),
        (" b ; c\n; d\n\n", [["b"], [], []]),
        ("a ( b ; one )\n c\n) d\ne", [["a", "b", "c", "d"], ["e"]]),
        ('a "b ; ( \\" c" d', [["a", '"b ; ( \\" c"', "d"]]),
        ('a\\;b \\(c \\"d', [["a\\;b", "\\(c", '\\"d']]),
        ("a\r\nb\rc", [["a"], ["b"], ["c"]]),
        ('a"b"c', [["a", '"b"', "c"]]),
    ],
)
def test_the_words_of_each_entry(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


@given(
    st.lists(st.sampled_from(["a", " ", "\n", "\r\n", "; c\n", "( x\n)", '"q;"', "\\;", "\t"]), max_size=15).map(
        "".join
    )
)
def test_the_entries_together_are_the_text(text: str) -> None:
    entries = entries_of(text)
    assert "".join(text[slice(*entry.span)] for entry in entries) == text
    for entry in entries:
        assert entry.line == 1 + text.count("\n", 0, entry.span.start)


@given(st.text('a1 \t\n;()"\\', max_size=40))
def test_text_that_breaks_off_does_so_at_one_of_its_lines(text: str) -> None:
    try:
        found = [entry.line for entry in entries_of(text)]
    except LineError as error:
        found = [error.line]
    assert set(found) <= set(range(1, text.count("\n") + 2))


@pytest.mark.parametrize(
    ("text", "line"), [("a\n(\nb\n", 2), ("a\n\nb )", 3), ('a\n"b\n"', 2), ("a\\\nb", 1), ('a\n"b', 2), ("( \\", 1)]
)
def test_where_the_text_breaks_off(text: str, line: int) -> None:
    with pytest.raises(LineError) as caught:
        entries_of(text)
    assert caught.value.line == line
