"""One SPF record that many share: our mechanisms come and go, theirs stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.extend import Standing
from reconciler.model.spf import Spf
from reconciler.model.stage import Stage
from reconciler.resources.dns.spf import KIND, desired, merge
from tests.support.specs import spec

BOTH = "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 ~all"
FINAL = "v=spf1 ip4:198.51.100.1 -all"


def claim(stage: Stage, **overrides: object) -> str | None:
    (one,) = desired(spec(**overrides), stage)
    assert one.owner == "example.org."
    return one.rdata


EVER = frozenset(text for stage in Stage if (text := claim(stage)))


def laid(wanted: str, *observed: str, ever: frozenset[str] = EVER) -> str:
    (text,) = merge(frozenset({wanted}), Standing("example.org.", frozenset(observed), ever))
    return text


def test_the_record_stands_as_it_stood_at_prepare() -> None:
    assert claim(Stage.PREPARE) is None


def test_both_servers_may_send_until_harden_and_the_new_one_alone_from_then_on() -> None:
    assert claim(Stage.OVERLAP) == claim(Stage.CUTOVER) == BOTH
    assert claim(Stage.HARDEN) == claim(Stage.DECOMMISSION) == FINAL


def test_third_parties_stay_and_nothing_is_named_twice() -> None:
    both = claim(Stage.OVERLAP, senders=["include:spf.crm.example", "ip4:192.0.2.1"], spf={"relaxed": "?all"})
    assert both == "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 include:spf.crm.example ?all"


def test_without_senders_only_the_policy_is_claimed() -> None:
    assert claim(Stage.HARDEN, new={"senders": []}) == "v=spf1 -all"


def test_a_record_is_made_where_there_is_none() -> None:
    assert laid(BOTH) == BOTH


def test_mechanisms_of_other_people_stay_in_their_place_with_their_qualifiers() -> None:
    stood = "v=spf1 mx ip4:192.0.2.1 -ip4:203.0.113.9 ?include:crm.example -all"
    both = laid(BOTH, stood)
    assert both == "v=spf1 mx ip4:192.0.2.1 -ip4:203.0.113.9 ?include:crm.example ip4:198.51.100.1 ~all"
    assert laid(FINAL, both) == "v=spf1 mx -ip4:203.0.113.9 ?include:crm.example ip4:198.51.100.1 -all"


def test_our_sender_gets_our_qualifier() -> None:
    assert laid(BOTH, "v=spf1 ?ip4:192.0.2.1 ~all") == BOTH


def test_a_record_that_says_what_is_wanted_keeps_its_spelling() -> None:
    stood = "V=SPF1  ip4:192.0.2.1/32 IP4:198.51.100.1  ~ALL"
    assert laid(BOTH, stood) == stood


def test_terms_behind_all_do_not_come_to_life() -> None:
    assert laid(BOTH, "v=spf1 ip4:192.0.2.1 -all include:forgotten.example") == f"{BOTH} include:forgotten.example"
    assert laid(FINAL, "v=spf1 -all ip4:192.0.2.1") == FINAL


def test_a_redirect_that_decides_goes_on_deciding() -> None:
    both = laid(BOTH, "v=spf1 redirect=_spf.example.com")
    assert both == "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 redirect=_spf.example.com"
    assert laid(FINAL, both) == "v=spf1 ip4:198.51.100.1 redirect=_spf.example.com"


def test_a_redirect_without_effect_and_other_modifiers_are_kept() -> None:
    stood = "v=spf1 a -all redirect=_spf.example.com exp=why.example.com x=y"
    assert laid(FINAL, stood) == "v=spf1 a ip4:198.51.100.1 -all redirect=_spf.example.com exp=why.example.com x=y"


def test_two_records_become_one_and_nobody_loses_a_sender() -> None:
    stood = ("v=spf1 a include:one.example -all exists:x.example", "v=spf1 mx include:one.example ?all exp=e.example")
    assert laid(BOTH, *stood) == (
        "v=spf1 a include:one.example mx ip4:192.0.2.1 ip4:198.51.100.1 ~all exists:x.example exp=e.example"
    )


def test_a_broken_record_stays_as_it_stands() -> None:
    assert laid(BOTH, "v=spf1 ipv4:192.0.2.1 -all") == "v=spf1 ipv4:192.0.2.1 -all"


@pytest.mark.parametrize(("text", "ours"), [("v=spf1 -all", True), ("V=SPF1", True), ("v=spf10 -all", False)])
def test_an_spf_record_is_told_from_other_texts(text: str, ours: bool) -> None:
    assert KIND.owns(text) is ours


TERMS = st.sampled_from(
    ["a", "mx", "-mx", "ip4:192.0.2.1", "?ip4:192.0.2.1", "ip4:198.51.100.1", "include:crm.example", "~all", "-all",
     "exists:%{i}.x.example", "ip6:2001:db8::/32", "redirect=r.example", "exp=e.example"]
)  # fmt: skip
RECORDS = st.lists(TERMS, max_size=7, unique_by=lambda term: term.partition("=")[0]).map(
    lambda terms: " ".join(["v=spf1", *terms])
)


@given(st.lists(RECORDS, max_size=2, unique=True), st.sampled_from([BOTH, FINAL]), st.sampled_from([BOTH, FINAL]))
def test_merging_settles_at_once_and_whatever_came_before_no_foreign_mechanism_is_lost(
    records: list[str], first: str, last: str
) -> None:
    once = laid(first, *records)
    assert laid(first, once) == once
    there = laid(last, once)
    assert laid(last, there) == there
    claimed = {mechanism.target for text in EVER for mechanism in Spf.parse(text).mechanisms}
    foreign = {m.target for record in records for m in Spf.parse(record).mechanisms} - claimed
    kept = Spf.parse(there)
    assert {m.target for m in kept.mechanisms} - claimed == foreign
    wanted = Spf.parse(last)
    assert set(wanted.senders) <= set(kept.mechanisms)
    assert kept.redirect or kept.all == wanted.all
