import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NameInvalid
from reconciler.model.name import domain_name, mail_address, owner_name

letters = st.text(alphabet="abcXYZ019-_.@ \u00e4\u00df\u0130\u05d0\u3002\u200d\\\"'+!%#\x00\n", max_size=40)


@given(st.text(max_size=40) | letters)
def test_a_domain_is_in_normal_form_or_refused(text: str):
    try:
        name = domain_name(text)
    except NameInvalid:
        return
    assert domain_name(name) == name
    assert name.isascii()
    assert name == name.lower()
    assert len(name) <= 253


@given(st.text(max_size=40) | letters.map("a@{}".format) | letters.map("{}@example.org".format))
def test_a_mail_address_is_in_normal_form_or_refused(text: str):
    try:
        address = mail_address(text)
    except NameInvalid:
        return
    assert mail_address(address) == address
    assert address.isascii()
    assert address.count(" ") == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.ORG.", "example.org"),
        ("B\u00fccher.Example", "xn--bcher-kva.example"),
        ("fa\u00df.example", "xn--fa-hia.example"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        (" example.org ", "example.org"),
    ],
)
def test_a_domain_has_one_spelling(text: str, name: str):
    assert domain_name(text) == name
    assert owner_name(text) == f"{name}."


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a..b",
        "-a.org",
        "a-.org",
        "a b.org",
        "a\n.org",
        "a" * 64 + ".org",
        "a." * 130 + "org",
        "[192.0.2.1]",
    ],
)
def test_what_is_no_domain_is_refused(text: str):
    with pytest.raises(NameInvalid, match="is not a domain name"):
        domain_name(text)


def test_a_mail_address_has_one_spelling():
    assert mail_address("Ann.O'Hara+x@B\u00fccher.Example.") == "ann.o'hara+x@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ann", "expected local-part@domain"),
        ("@example.org", "empty"),
        (".ann@example.org", "quoting"),
        ("a..b@example.org", "quoting"),
        ('"a b"@example.org', "quoting"),
        ("a" * 65 + "@example.org", "too long"),
        ("j\u00f6rg@example.org", "SMTPUTF8"),
        ("ann@", "domain name"),
        ("ann@[192.0.2.1]", "domain name"),
    ],
)
def test_an_address_that_mail_cannot_carry_is_refused_with_the_reason(text: str, why: str):
    with pytest.raises(NameInvalid, match=why):
        mail_address(text)
