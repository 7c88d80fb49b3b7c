import pytest

from reconciler.model.tags import Tags


def test_a_list_is_read_in_its_order_with_blanks_and_a_closing_semicolon() -> None:
    tags = Tags.parse(" v = DKIM1;k=rsa ; p=ab cd=\t; ")
    assert tags.pairs == (("v", "DKIM1"), ("k", "rsa"), ("p", "ab cd="))
    assert str(tags) == "v=DKIM1; k=rsa; p=ab cd="
    assert Tags.parse(str(tags)) == tags


def test_an_empty_value_is_a_value() -> None:
    assert Tags.parse("p=").get("p") == ""
    assert Tags.parse("p=").get("k") is None


@pytest.mark.parametrize("text", ["", "p", "p=a;;k=b", "=a", "1p=a", "p=a\x01b", "p=é"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not NAME=VALUE"):
        Tags.parse(text)


def test_a_tag_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Tags.parse("p=a; p=b")


def test_leniently_the_first_of_each_tag_counts_and_the_rest_is_passed_over() -> None:
    assert Tags.parse_leniently("v=DMARC1; nonsense; p=none;; p=reject").pairs == (("v", "DMARC1"), ("p", "none"))
