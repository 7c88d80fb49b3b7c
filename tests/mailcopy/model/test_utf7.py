import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model import utf7


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_comes_back(name: str) -> None:
    assert utf7.decode(utf7.encode(name)) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_wire_sees_printable_ascii_only(name: str) -> None:
    assert all(0x20 <= octet <= 0x7E for octet in utf7.encode(name))


def test_the_example_of_the_rfc() -> None:
    assert utf7.decode(b"~peter/mail/&U,BTFw-/&ZeVnLIqe-") == "~peter/mail/台北/日本語"
    assert utf7.encode("~peter/mail/台北/日本語") == b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"


@pytest.mark.parametrize("name", [b"&", b"a&b", b"&AGEA-", b"&AGE-", b"\xff", b"Gr\xc3\xb6\xc3\x9fe", b"&2D3cqQ"])
def test_a_name_that_would_come_back_as_another_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match=r"modified UTF-7|one spelling"):
        utf7.decode(name)
