from pathlib import PurePath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.formats.mail_server.line_text import Text
from reconciler.formats.mail_server.passwd_file import Account, parse
from reconciler.formats.mail_server.quota_field import limit, with_limit

RULE, SIZE = "userdb_quota_rule", "userdb_quota_storage_size"
GIB = 1024**3


def account(extra: str, head: str = "ann@example.org:x::::") -> Account:
    text = Text(PurePath("/users"), f"{head}:{':'}{extra}\n".encode())
    return parse(text, "example.org").by_address["ann@example.org"]


def extra(line: str) -> str:
    return line.split(":", 7)[7]


@pytest.mark.parametrize(
    ("fields", "wanted", "becomes"),
    [
        ("", 5, f"{RULE}=*:bytes=5"),
        (f"{RULE}=*:storage=1G", 5, f"{RULE}=*:bytes=5"),
        (f"{RULE}=*:storage=1G:messages=7", 5, f"{RULE}=*:bytes=5:messages=7"),
        (f"{RULE}=Trash:storage=+100M", 5, f"{RULE}=Trash:storage=+100M {RULE}2=*:bytes=5"),
        (f"{RULE}=*:messages=9", 5, f"{RULE}=*:messages=9 {RULE}2=*:bytes=5"),
        (f"{RULE}2=*:storage=1G {RULE}=Trash:ignore", 5, f"{RULE}2=*:bytes=5 {RULE}=Trash:ignore"),
        (f"{RULE}=*:storage=1G {RULE}2=*:bytes=3", 5, f"{RULE}=*:storage=1G {RULE}2=*:bytes=5"),
        (f"{RULE}=?:storage=1G", 5, f"{RULE}=?:bytes=5"),
        ("quota_rule=*:storage=1G", 5, f"quota_rule=*:storage=1G {RULE}=*:bytes=5"),
        (f"{RULE}=*:bytes=5:messages=7", None, f"{RULE}=*:messages=7"),
        (f"{RULE}=Trash:ignore {RULE}2=*:bytes=5", None, f"{RULE}=Trash:ignore"),
        (f"{RULE}=Trash:ignore", None, f"{RULE}=Trash:ignore"),
    ],
)
def test_only_the_rule_of_the_whole_account_is_ours(fields, wanted, becomes):
    assert extra(with_limit(account(fields), RULE, wanted)) == becomes


@pytest.mark.parametrize(
    ("fields", "wanted", "why"),
    [
        (f"{RULE}2=Trash:ignore", 5, "is missing before userdb_quota_rule2"),
        (f"{RULE}=Trash:ignore {RULE}3=Spam:ignore", 5, "userdb_quota_rule2 is missing before userdb_quota_rule3"),
        (f"{RULE}=Trash:ignore {RULE}3=*:storage=1G", 5, "Dovecot does not read it"),
        (f"{RULE}=*:bytes=5 {RULE}2=Trash:ignore", None, "would ignore userdb_quota_rule2=Trash:ignore"),
        (f"{RULE}=*:bytes=5 {RULE}2=*:storage=1G", None, "another limit of the whole account"),
        (f"{RULE}=*:storage=+10%", 5, "is no absolute size"),
        (f"{RULE}=Trash:ignore {RULE}2=nonsense", 5, "is no quota rule"),
        (f"{RULE}=*:ignore", 5, "limits what is not known here"),
    ],
)
def test_a_limit_that_would_change_what_other_rules_do_is_refused(fields, wanted, why):
    with pytest.raises(ValueError, match=why):
        with_limit(account(fields), RULE, wanted)


@pytest.mark.parametrize(
    ("fields", "wanted", "becomes"),
    [
        ("", 2 * GIB, f"{SIZE}=2G"),
        (f"a=b {SIZE}=1G c=d", 3 * GIB // 2, f"a=b {SIZE}=1536M c=d"),
        (f"{SIZE}=1G", 0, f"{SIZE}=unlimited"),
        (f"{SIZE}=1G a=b", None, "a=b"),
        (f"{RULE}=*:storage=1G", 5, f"{RULE}=*:storage=1G {SIZE}=5B"),
    ],
)
def test_a_field_for_a_size_holds_a_size(fields, wanted, becomes):
    assert extra(with_limit(account(fields), SIZE, wanted)) == becomes


def test_a_size_that_is_not_understood_is_not_overwritten():
    with pytest.raises(ValueError, match="is no size"):
        with_limit(account(f"{SIZE}=50%"), SIZE, 5)


@pytest.mark.parametrize(
    ("stored", "becomes"),
    [
        ("*:storage=1G", "*:storage=1G"),
        ("*:storage=1048576", "*:storage=1048576"),
        ("*:storage=2G", f"*:bytes={GIB}"),
        ("*:storage=1G:messages=5", f"*:bytes={GIB}"),
        ("Trash:storage=1G", f"*:bytes={GIB}"),
        ("*:storage=1G pass=x", f"*:bytes={GIB}"),
        ("nonsense", f"*:bytes={GIB}"),
    ],
)
def test_a_stored_spelling_is_taken_only_if_it_says_what_is_wanted_and_nothing_else(stored, becomes):
    assert extra(with_limit(account(f"{RULE}=*:bytes=7"), RULE, GIB, stored)) == f"{RULE}={becomes}"


@pytest.mark.parametrize(("stored", "becomes"), [("1024M", "1024M"), ("2G", "1G"), ("1G allow_nets=any", "1G")])
def test_a_stored_size_is_taken_only_if_it_is_the_wanted_one(stored, becomes):
    assert extra(with_limit(account(f"{SIZE}=7"), SIZE, GIB, stored)) == f"{SIZE}={becomes}"


WORDS = st.sampled_from(
    [
        "a=b", "nologin", "", f"{RULE}=*:storage=1G", f"{RULE}=Trash:storage=+100M", f"{RULE}2=*:messages=9",
        f"{RULE}2=?:bytes=3:messages=9", f"{RULE}3=Spam:ignore", f"{RULE}=*:storage=+10%", f"{RULE}2=odd",
        f"{SIZE}=1G", f"{SIZE}=512MiB", f"{SIZE}=odd", "quota_rule=*:storage=1G",
    ]
)  # fmt: skip
HEADS = st.sampled_from(["ann@example.org:x::::", "ann@example.org:x:1:2:Ann:/home"])


@given(st.lists(WORDS, max_size=6), HEADS, st.integers(0, 2**40), st.sampled_from([RULE, SIZE]))
def test_a_limit_that_was_set_and_put_back_leaves_the_line_as_it_was(words, head, wanted, name):
    before = account(" ".join(words), head)
    try:
        standing = limit(before, name)
        there = with_limit(before, name, wanted)
    except ValueError:
        assume(False)
    during = account(extra(there), head)
    found = limit(during, name)
    assert found is not None
    assert found.size == wanted
    ours = {found.field} if standing is None else {standing.field}
    assert {k: v for k, v in during.extra_fields().items() if k not in ours} == {
        k: v for k, v in before.extra_fields().items() if k not in ours
    }
    stood = (standing.size, standing.text) if standing else (None, None)
    back = with_limit(during, name, *stood)
    assert back == ":".join(before.fields)
