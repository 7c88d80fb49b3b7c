import pytest

from reconciler.extend import Standing
from reconciler.model.stage import Stage
from reconciler.resources.dns.dmarc import KIND, desired, merge
from tests.support.specs import spec

FINAL = {"p": "reject", "sp": "quarantine", "rua": ["mailto:a@example.org", "mailto:b@example.org"]}
CLAIM = "v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@example.org,mailto:b@example.org"


def laid(*observed: str, wanted: str = "v=DMARC1; p=reject") -> str:
    (text,) = merge(frozenset({wanted}), Standing("_dmarc.example.org.", frozenset(observed), frozenset({wanted})))
    return text


@pytest.mark.parametrize("stage", Stage)
def test_a_spec_that_is_silent_claims_nothing(stage: Stage) -> None:
    assert list(desired(spec(), stage)) == []


@pytest.mark.parametrize("stage", Stage)
def test_the_policy_hardens_when_only_the_new_server_sends(stage: Stage) -> None:
    assert list(desired(spec(dmarc=FINAL), stage)) == [
        ("_dmarc.example.org.", CLAIM if stage >= Stage.HARDEN else None)
    ]


def test_tags_of_the_spec_win_and_the_others_stay() -> None:
    stood = "v=DMARC1; p=none; rua=mailto:x@example.com; pct=20; fo=1; sp=none"
    assert laid(stood) == "v=DMARC1; p=reject; sp=none; rua=mailto:x@example.com; fo=1"


def test_a_record_that_says_the_same_keeps_its_spelling() -> None:
    stood = "v=DMARC1;rua=mailto:x@example.com;p=reject;"
    assert laid(stood) == stood


def test_a_tag_that_was_removed_goes_even_if_the_rest_is_right() -> None:
    assert laid("v=DMARC1; p=reject; pct=100") == "v=DMARC1; p=reject"


def test_two_records_become_one() -> None:
    merged = laid("v=DMARC1; p=none; fo=1", "v=DMARC1; p=none; rua=mailto:x@example.com; fo=0")
    assert merged == "v=DMARC1; p=reject; rua=mailto:x@example.com; fo=1"
    assert laid(merged) == merged


def test_a_record_is_made_where_there_is_none() -> None:
    assert laid() == "v=DMARC1; p=reject"
    assert KIND.owns("v=DMARC1;p=none")
    assert not KIND.moves
