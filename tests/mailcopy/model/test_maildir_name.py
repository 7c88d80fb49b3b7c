import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.maildir_name import (
    MOST_KEYWORDS,
    FileName,
    keywords_among,
    keywords_in,
    name_of_copy,
    number_of,
    with_keywords,
)


def test_flags_and_keywords_are_read_from_the_letters() -> None:
    name = FileName.parse("123.a.host,S=5:2,FSacz")
    assert (name.base, name.letters, name.begun) == ("123.a.host,S=5", "FSacz", 123)
    assert name.flags({"a": "$Label1", "c": "own"}) == "$Label1 \\Flagged \\Seen own"
    assert FileName.parse("123.new").flags({}) == ""
    assert FileName.parse("x:1,S").letters == ""
    assert str(name) == "123.a.host,S=5:2,FSacz"


def test_a_keyword_that_is_no_atom_is_left_out() -> None:
    assert FileName("x", "Sab").flags({"a": "bad(flag", "b": "k" * 60}) == "\\Seen"


def test_flags_are_written_as_letters_of_the_folder_that_they_go_to() -> None:
    there = {"a": "Other", "d": "$Label1"}
    assert FileName("x", "P").with_flags("$label1 \\Seen \\Answered unknown", there).letters == "PRSd"
    assert FileName("x", "FSaqP").with_flags("\\Draft", there).letters == "DPq"


@pytest.mark.parametrize("name", ["", "no-digits.x", "9" * 40 + ".x"])
def test_a_name_that_begins_with_no_time_has_none(name: str) -> None:
    assert FileName.parse(name).begun == 0


@given(st.text())
def test_numbers_are_positive_and_fit_a_database(name: str) -> None:
    name = name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    assert 0 < number_of(name) < 2**63


def test_a_copy_is_always_called_the_same_and_no_two_the_same() -> None:
    parts = ("ann@example.org", "old", "INBOX", "1.a")
    assert name_of_copy(parts, 7, 5) == name_of_copy(parts, 7, 5)
    assert name_of_copy(parts, 7, 5).startswith("7.R")
    assert name_of_copy(parts, 7, 5).endswith(".reconciler,S=5")
    assert name_of_copy(("ab", "c"), 7, 5) != name_of_copy(("a", "bc"), 7, 5)


def test_what_stands_in_the_keywords_file_stays_and_what_is_missing_gets_free_letters() -> None:
    file = b"0 Urgent\nrubbish\n2 Later"
    assert keywords_in(file) == {"a": "Urgent", "c": "Later"}
    added = with_keywords(file, ["new", "URGENT", "more", "new"])
    assert added == file + b"\n1 new\n3 more\n"
    assert with_keywords(added, ["new", "more"]) == added
    assert with_keywords(b"", []) == b""


def test_there_are_not_more_keywords_than_letters() -> None:
    full = with_keywords(b"", [f"k{number}" for number in range(40)])
    assert len(keywords_in(full)) == MOST_KEYWORDS
    assert with_keywords(full, ["one-more"]) == full
    assert keywords_in(b"26 z\n-1 y\n") == {}


def test_only_keywords_need_letters() -> None:
    assert keywords_among("$Label1 \\Seen own") == ["$Label1", "own"]
