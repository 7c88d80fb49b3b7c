from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ObserveError
from reconciler.formats.mail_server.line_text import Text
from reconciler.formats.mail_server.passwd_file import Account, new_line, parse

RULE = "userdb_quota_rule"
WORDS = st.text(alphabet="abc=/{}$*", max_size=4)
EXTRA = st.text(alphabet="ab=: ", max_size=8)


def accounts(text, domain="example.org"):
    return parse(Text(PurePath("/etc/users"), text.encode()), domain)


def account(line):
    return Account(0, tuple(line.split(":", 7)))


def test_the_fields_of_a_line():
    found = accounts(
        "ann@example.org:{BLF-CRYPT}$2y$x:5000:vmail:Ann Bee:/var/vmail/ann::"
        "userdb_mail=maildir:~/M userdb_quota_rule=*:storage=1G\n"
    ).by_address["ann@example.org"]
    assert found.password == "{BLF-CRYPT}$2y$x"
    assert found.owner == ("5000", "vmail")
    assert found.display_name == "Ann Bee"
    assert found.home == "/var/vmail/ann"
    assert found.extra_field("userdb_mail") == "maildir:~/M"
    assert found.extra_field(RULE) == "*:storage=1G"
    assert found.extra_field("other") is None


def test_only_whole_addresses_of_the_domain_are_accounts():
    found = accounts(
        "# ann@example.org:x\n"
        ":nobody@example.org:x\n"
        "\n"
        "root:x:0:0\n"
        "@example.org:x\n"
        "bob@example.com:x\n"
        "ann@sub.example.org:x\n"
        "Eve@EXAMPLE.ORG.:x\n"
    )
    assert list(found.by_address) == ["eve@example.org"]
    assert found.first.fields[0] == "bob@example.com"


def test_an_internationalised_domain_is_known_in_both_spellings():
    found = accounts("a@bücher.example:x\nb@xn--bcher-kva.example:x\n", "xn--bcher-kva.example")
    assert list(found.by_address) == ["a@xn--bcher-kva.example", "b@xn--bcher-kva.example"]


def test_an_address_that_cannot_be_carried_is_still_seen():
    assert list(accounts("Jörg@example.org:x\n").by_address) == ["jörg@example.org"]


def test_a_display_name_of_an_old_file_is_read_as_latin_1():
    text = Text(PurePath("/etc/users"), b"a@example.org:x:::J\xf6rg\nb@example.org:x:::J\xc3\xb6rg\n")
    assert [a.display_name for a in parse(text, "example.org").by_address.values()] == ["Jörg", "Jörg"]


def test_a_duplicate_account_is_an_error_at_its_line():
    with pytest.raises(ObserveError, match=r"^/etc/users:3: ann@example.org stands here and in line 1; .* remove one"):
        accounts("ann@example.org:x\nbob@example.org:x\nANN@example.org:y\n")


def test_a_line_that_was_cut_short_is_an_error_at_its_line():
    with pytest.raises(ObserveError, match=r"^/etc/users:2: the line has no password field"):
        accounts("ann@example.org:x\nbob@exam")


def test_a_user_name_with_blanks_is_an_error_that_shows_no_password():
    with pytest.raises(ObserveError, match=r"^/etc/users:1: 'ann @example.org' cannot be a user name") as caught:
        accounts("ann @example.org:{PLAIN}geheim\n")
    assert "geheim" not in str(caught.value)


def test_a_quota_on_a_short_line_goes_with_the_colons_that_came_for_it():
    long = account("a@b.c:x").with_extra(RULE, "*:bytes=1")
    assert long == "a@b.c:x::::::      userdb_quota_rule=*:bytes=1"
    assert account(long).extra_field(RULE) == "*:bytes=1"
    assert account(long).with_extra(RULE, None) == "a@b.c:x"


@given(st.lists(WORDS.map(lambda w: w.replace(":", "")), min_size=1, max_size=6), EXTRA, st.booleans())
def test_an_extra_field_that_comes_and_goes_leaves_the_line_as_it_was(fields, extra, full):
    line = ":".join(["a@b.c", *fields, *([""] * (6 - len(fields)) if full else []), *([extra] if full else [])])
    with_one = account(line).with_extra(RULE, "*:bytes=5")
    assert account(with_one).extra_field(RULE) == "*:bytes=5"
    with_other = account(with_one).with_extra(RULE, "*:bytes=7")
    assert account(with_other).extra_field(RULE) == "*:bytes=7"
    assert account(with_other).with_extra(RULE, None) == line


@given(EXTRA, EXTRA)
def test_an_extra_field_between_others_touches_none_of_them(before, after):
    line = f"a@b.c:x:1:1:N:/h::{before} {RULE}=*:bytes=5 {after}"
    assert account(line).with_extra(RULE, "*:bytes=7") == line.replace("=5", "=7")


@pytest.mark.parametrize("line", ["a@b.c:x", "a@b.c:x:1:1", "a@b.c:x:1:1::/home", "a@b.c:x:1:1::/h::x=y"])
def test_a_display_name_that_comes_and_goes_leaves_the_line_as_it_was(line):
    named = account(line).with_display_name("Ann Bee")
    assert account(named).display_name == "Ann Bee"
    assert account(named).with_display_name("") == line


def test_a_display_name_and_a_quota_on_a_short_line_go_in_any_order():
    line = "a@b.c:x"
    both = account(account(line).with_display_name("Ann")).with_extra(RULE, "*:bytes=1")
    assert account(account(both).with_extra(RULE, None)).with_display_name("") == line
    assert account(account(both).with_display_name("")).with_extra(RULE, None) == line


def test_a_new_line_has_eight_fields():
    line = new_line("a@b.c", "{X}y", uid="1", gid="2", display_name="Ann", home="/h")
    assert line == "a@b.c:{X}y:1:2:Ann:/h::"
