import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.wording.printable import printable, printable_lines, printable_with_colour
from reconciler.wording.quoting import one_line
from reconciler.wording.style import Style

HARMFUL = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u200e\u200f\u061c\u2028\u2029\ufeff\u200b\u00a0\ud800\udfff\ue000",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
]
anything = st.text(st.characters() | st.sampled_from(HARMFUL))
styled = st.sampled_from([Style.heading, Style.faint, Style.made, Style.changed, Style.removed, Style.waiting])


@pytest.mark.parametrize("character", HARMFUL, ids=lambda c: f"{ord(c):04x}")
def test_a_harmful_character_is_shown_as_its_escape(character):
    shown = printable(f"a{character}b")
    assert re.fullmatch(r"a\\(n|r|t|x[0-9a-f]{2}|u[0-9a-f]{4})b", shown)
    assert shown.encode().decode("unicode_escape") == f"a{character}b"


def test_what_people_write_stays_as_it_is():
    for text in ("Jürgen Größe & Maße", "Łukasz", "田中", "עברית", "a\\027b", "C:\\x", "👍", ""):
        assert printable(text) == text


@given(anything)
def test_whatever_is_said_is_printable_and_stays_on_its_line(text):
    for shown in (printable(text), one_line(text)):
        assert shown.isprintable()
    assert printable(printable(text)) == printable(text)


@given(st.lists(anything))
def test_lines_of_ours_keep_their_ends_and_nothing_else(texts):
    shown = printable_lines("\n".join(map(printable, texts)))
    assert shown.split("\n") == (list(map(printable, texts)) or [""])
    assert all(
        c == "\n" or not unicodedata.category(c).startswith(("C", "Zl", "Zp")) for c in printable_lines("".join(texts))
    )


@given(styled, anything, anything)
def test_our_own_colours_come_through_and_nobody_elses(paint, ours, theirs):
    line = f"{paint(Style(color=True), printable(ours))} {printable(theirs)}"
    assert printable_with_colour(line) == line
    assert "\x1b" not in printable_lines(line)
    assert printable_with_colour(f"\x1b]0;{printable(theirs)}\x07\x1b[2J").isprintable()
