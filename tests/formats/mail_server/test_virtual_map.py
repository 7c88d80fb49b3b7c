from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ObserveError
from reconciler.formats.mail_server.line_text import Edit, Text
from reconciler.formats.mail_server.virtual_map import keep_from_catch_all, line, parse, remove, retarget

DOMAIN = "example.org"
LOCALS = st.sampled_from("abcdef")
TARGETS = st.frozensets(LOCALS.map(lambda c: f"{c}@x.org"), min_size=1, max_size=4)


def read(text):
    return parse(Text(PurePath("/etc/virtual"), text.encode()), DOMAIN)


def aliases(text):
    return {key: set(entry.targets) for key, entry in read(text).by_key.items()}


def edited(text, act):
    standing = read(text)
    edit = Edit(standing.text)
    act(edit, standing)
    content = edit.content()
    return None if content is None else content.decode()


def retargeted(text, *targets, key="info@example.org"):
    return edited(text, lambda edit, map_: retarget(edit, map_.text, map_.by_key[key], frozenset(targets)))


def test_entries_reach_over_lines_comments_commas_and_cases():
    assert aliases(
        "# info@example.org no@x.org\n"
        "  # an indented comment\n"
        "Info@Example.ORG\tAnn@X.org,b@x.org\n"
        "\n"
        "\t c@x.org ,\n"
        "# a comment in the middle\n"
        "   d@x.org\n"
        "@example.org catch@x.org\n"
        "other@example.com e@x.org\n"
        "example.org anything\n"
        "root ann\n"
        'quoted@example.org "john, smith"@x.org root\n'
    ) == {
        "info@example.org": {"ann@x.org", "b@x.org", "c@x.org", "d@x.org"},
        "@example.org": {"catch@x.org"},
        "quoted@example.org": {'"john, smith"@x.org', "root"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  a@x.org\n", r"^/etc/virtual:1: the line begins with a blank but continues no other"),
        ("ok a@x.org\n\nbroken@example.com\n", r"^/etc/virtual:3: broken@example.com has no value"),
        ("a@example.org x\nb@x.org y\nA@example.org z\n", r"^/etc/virtual:3: a@example.org stands here and in line 1"),
        (
            "# reconciler: mailboxes kept from the catch-all of example.org\na@example.org a@example.org\n",
            r"^/etc/virtual:1: the block that begins here has lost its last line; add it: '# reconciler: end",
        ),
    ],
)
def test_a_map_that_postfix_reads_otherwise_is_an_error_at_its_line(text, message):
    with pytest.raises(ObserveError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("before", "targets", "after"),
    [
        ("info@example.org a@x.org", "ab", "info@example.org a@x.org, b@x.org"),
        ("Info@example.org\t\tA@x.org,b@x.org # no comment@x.org", "a", "Info@example.org\t\tA@x.org"),
        ("info@example.org a@x.org,b@x.org,c@x.org", "ac", "info@example.org a@x.org,c@x.org"),
        ("info@example.org  a@x.org, b@x.org", "b", "info@example.org  b@x.org"),
        ("info@example.org a@x.org b@x.org", "abc", "info@example.org a@x.org b@x.org c@x.org"),
        ("info@example.org a@x.org  ", "b", "info@example.org b@x.org  "),
        ("info@example.org\n  a@x.org,\n  b@x.org", "b", "info@example.org\n  b@x.org"),
        ("info@example.org\n  a@x.org,\n  b@x.org", "abc", "info@example.org\n  a@x.org,\n  b@x.org,\n  c@x.org"),
        ("info@example.org a@x.org\n# why\n  b@x.org", "b", "info@example.org b@x.org\n# why"),
    ],
)
def test_targets_that_stay_keep_spelling_order_and_line(before, targets, after):
    text = f"# top\n{before}\nother@example.org z@x.org\n"
    assert (
        retargeted(text, *(f"{letter}@x.org" for letter in targets)) == f"# top\n{after}\nother@example.org z@x.org\n"
    )


@given(TARGETS, TARGETS, st.sampled_from([", ", ",", " ", "\n\t", ",\n  "]))
def test_an_entry_gets_just_the_targets_that_it_should(standing, wanted, separator):
    text = f"b@example.com x@x.org\ninfo@example.org {separator.join(sorted(standing))}\nc@example.org y@x.org"
    after = retargeted(text, *wanted)
    assert aliases(after) == {"info@example.org": set(wanted), "c@example.org": {"y@x.org"}}
    assert after.startswith("b@example.com x@x.org\ninfo@example.org ")
    assert after.endswith("\nc@example.org y@x.org")


@given(TARGETS, TARGETS, st.sampled_from([", ", ",", " ", "\n\t", ",\n  "]))
def test_targets_that_come_and_go_leave_the_entry_as_it_was(standing, more, separator):
    text = f"info@example.org {separator.join(sorted(standing))}\n"
    assert retargeted(retargeted(text, *standing, *more), *standing) == text


def test_removing_an_entry_leaves_the_comments_between_its_lines():
    text = "a@example.org x@x.org\ninfo@example.org a@x.org\n# why\n  b@x.org\nc@example.org y@x.org\n"
    assert (
        edited(text, lambda edit, map_: remove(edit, map_.by_key["info@example.org"]))
        == "a@example.org x@x.org\n# why\nc@example.org y@x.org\n"
    )


@pytest.mark.parametrize(
    ("key", "targets"), [("#a@example.org", ["x"]), ("a b", ["x"]), ("a", []), ("a", ["x y"]), ("a", ["x,y"])]
)
def test_an_entry_that_would_be_read_as_something_else_is_refused(key, targets):
    with pytest.raises(ValueError, match="read as"):
        line(key, targets)


BLOCK = (
    "# reconciler: mailboxes kept from the catch-all of example.org\n"
    "a@example.org a@example.org\n"
    "b@example.org b@example.org\n"
    "# reconciler: end of the mailboxes kept from the catch-all of example.org\n"
)


def kept(text, *mailboxes):
    return edited(text, lambda edit, map_: keep_from_catch_all(edit, map_, DOMAIN, mailboxes))


def test_the_block_comes_changes_and_goes():
    text = "x@example.org y@x.org\n"
    with_block = kept(text, "a@example.org", "b@example.org")
    assert with_block == text + BLOCK
    assert kept(with_block + "z@x.org z\n", "b@example.org") == text + BLOCK.replace("a@example.org a@example.org\n", "") + "z@x.org z\n"  # fmt: skip  # noqa: E501
    assert kept(with_block) == text


def test_self_entries_are_hidden_in_our_block_only():
    text = BLOCK + "c@example.org c@example.org\n"
    assert aliases(text) == {"c@example.org": {"c@example.org"}}
    assert list(read(text).block.kept) == ["a@example.org", "b@example.org"]


def test_what_somebody_wrote_into_our_block_is_an_alias_and_outlives_it():
    text = BLOCK.replace("b@example.org b@example.org", "b@example.org b@example.org, x@x.org")
    assert aliases(text) == {"b@example.org": {"b@example.org", "x@x.org"}}
    assert kept(text) == "b@example.org b@example.org, x@x.org\n"


def test_an_empty_block_goes_too():
    text = BLOCK.replace("a@example.org a@example.org\nb@example.org b@example.org\n", "")
    assert kept(text + "z@x.org z\n") == "z@x.org z\n"


def test_the_block_of_another_domain_is_left_alone():
    text = BLOCK.replace("example.org", "example.com")
    assert aliases(text) == {}
    assert kept(text, "a@example.org").startswith(text)
