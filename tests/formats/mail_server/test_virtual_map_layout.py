from pathlib import PurePath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.formats.mail_server.line_text import Edit, Text
from reconciler.formats.mail_server.virtual_map import laid_out, layout, parse, put_back, retarget

KEY = "info@example.org"
WRAPPED = f"{KEY} zoe@x.org,\n\tbob@x.org\n# in between\n\n\tann@x.org"


def read(text):
    return parse(Text(PurePath("/etc/virtual"), text.encode("utf-8", "surrogateescape")), "example.org")


def stored(text, key=KEY):
    standing = read(text)
    return layout(standing.text, standing.by_key[key])


def edited(text, act):
    standing = read(text)
    edit = Edit(standing.text)
    act(edit, standing.text, standing.by_key[KEY])
    return (edit.content() or b"").decode("utf-8", "surrogateescape")


def restored(now, was):
    pieces = laid_out(stored(was), KEY, read(was).by_key[KEY].targets)
    assert pieces
    return edited(now, lambda edit, text, entry: put_back(edit, text, entry, pieces))


def test_a_layout_shows_where_comments_stand_and_nothing_of_them():
    assert stored(WRAPPED) == f"{KEY} zoe@x.org,\n\tbob@x.org\n#\n#\n\tann@x.org"


def test_a_layout_that_is_not_utf_8_is_none():
    assert stored(f"{KEY} ann@x.org, caf\udce9@x.org") is None


@pytest.mark.parametrize(
    "layout_",
    [
        None,
        "",
        "#",
        f"{KEY} ann@x.org, bob@x.org",
        f"{KEY} ann@x.org\nmore@example.org ann@x.org",
        f"{KEY} ann@x.org\n# with words\n",
        f"{KEY} ann@x.org\n\n",
        f'{KEY} ann@x.org, "',
        "sales@example.org ann@x.org",
        " info@example.org ann@x.org",
        f"{KEY} ann@x.org\r",
        f"{KEY} ann@x.org\0",
        f"{KEY} ann@x.org\x1b",
        f"{KEY}",
    ],
)
def test_a_layout_that_says_anything_else_is_not_taken(layout_):
    assert laid_out(layout_, KEY, frozenset({"ann@x.org"})) is None


def test_a_catch_all_has_a_layout_too():
    assert laid_out("@Example.ORG  Ann@X.org", "@example.org", frozenset({"ann@x.org"})) == [
        ["@Example.ORG  Ann@X.org"]
    ]


def test_comments_that_came_or_went_since_stay_as_they_are():
    assert restored(f"{KEY} q@x.org\n", WRAPPED) == f"{KEY} zoe@x.org,\n\tbob@x.org\n\tann@x.org\n"
    assert restored(f"{KEY} q@x.org\n# 1\n# 2\n# 3\n\tr@x.org\n", WRAPPED) == (
        f"{KEY} zoe@x.org,\n\tbob@x.org\n\tann@x.org\n# 1\n# 2\n# 3\n"
    )


def test_a_blank_line_that_would_be_lost_at_the_end_of_the_file_refuses_the_change():
    with pytest.raises(ValueError, match="add a line end there"):
        edited(WRAPPED, lambda edit, text, entry: retarget(edit, text, entry, frozenset({"new@x.org"})))


ROWS = st.lists(
    st.sampled_from(["\tann@x.org", "  Bob@X.org,", "\tann@x.org ,zoe@x.org", "# note", "", "   ", "  # caf\udce9"]),
    max_size=6,
)


@given(ROWS, ROWS, st.frozensets(st.sampled_from(["ann@x.org", "bob@x.org", "new@x.org"]), min_size=1))
@example(["# note", "# note", "\tann@x.org"], ["# note"], frozenset({"new@x.org"}))
def test_targets_that_were_changed_and_put_back_leave_every_octet_as_it_was(rows, more, wanted):
    before = "\n".join(
        ["# head", f"{KEY} zoe@x.org,", *rows, "sales@example.org q@x.org", *more, "@example.net  z@x.org"]
    )
    now = edited(before, lambda edit, text, entry: retarget(edit, text, entry, wanted))
    assert read(now).by_key[KEY].targets == wanted
    assert restored(now, before) == before
