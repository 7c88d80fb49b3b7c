import pytest

from reconciler.model.dmarc import Policy, is_dmarc


def test_policies_are_written_first_and_removed_tags_not_at_all() -> None:
    stood = Policy.parse("V=dmarc1;pct=50; rua=mailto:a@example.org ; p=none;rf=afrf; ri=3600")
    assert stood.get("rua") == "mailto:a@example.org"
    hardened = stood.with_tags({"sp": "reject", "p": "reject"})
    assert str(hardened) == "v=DMARC1; p=reject; sp=reject; rua=mailto:a@example.org"


def test_what_is_no_tag_is_passed_over_as_receivers_do() -> None:
    assert Policy.parse("v=DMARC1; p=none; oops; p=reject; P=quarantine").tags == (("p", "none"),)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("v=DMARC1; p=none", True),
        ("v=DMARC1;p=none", True),
        (" v = dmarc1 ;p=none", True),
        ("v=DMARC1", True),
        ("v=DMARC12; p=none", False),
        ("p=none; v=DMARC1", False),
        ("v=spf1 -all", False),
    ],
)
def test_a_policy_is_told_from_other_texts(text: str, ours: bool) -> None:
    assert is_dmarc(text) is ours


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not a DMARC record"):
        Policy.parse("v=spf1 -all")
