import pytest

from reconciler.checks.spf_sound import CHECK
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import BOTH_SPF, OLD_SPF, gated, mx, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

OURS = "ip4:192.0.2.1 ip4:198.51.100.1"


def judge(text, *world, before=OLD_SPF, senders=(), stage=Stage.OVERLAP):
    """On the way from ``before`` to ``text`` at the domain."""
    stands = txt(before)
    known = facts(stage, state(stands, *world), Change(stands, txt(text)))
    return CHECK.judge(spec(senders=list(senders)), known)


def stands(*texts, stage=Stage.OVERLAP):
    return CHECK.judge(spec(), facts(stage, state(*([txt(*texts)] if texts else []))))


def test_a_sound_record_passes_and_says_what_it_costs() -> None:
    assert judge(BOTH_SPF) == Pass(f"{BOTH_SPF}: look-ups 0 of 10")


def test_includes_of_the_own_zone_are_counted_and_others_are_named() -> None:
    includes = ["include:_spf.example.org", "include:provider.example"]
    inner = txt("v=spf1 a:mail.example.org mx:example.org include:other.example ~all", owner="_spf.example.org")
    world = (inner, mx(), RRset.of("mail.example.org", "A", 300, "192.0.2.1"))
    text = f"v=spf1 {OURS} {' '.join(includes)} ~all"
    assert judge(text, *world, senders=includes) == Pass(
        f"{text}: look-ups 5 of 10, not counting what is inside of other.example. and provider.example., "
        "which only the network shows"
    )


def test_the_eleventh_look_up_fails() -> None:
    ten = [f"include:s{number}.example" for number in range(10)]
    assert isinstance(judge(f"v=spf1 {OURS} {' '.join(ten)} ~all", senders=ten), Pass)
    answer = judge(f"v=spf1 {OURS} {' '.join(ten)} ?mx:x.example ~all", senders=ten)
    assert isinstance(answer, Fail)
    assert answer.why.startswith("11 look-ups, more than the 10 that receivers make; ")
    assert "ip4: and ip6:, which cost no look-up" in answer.todo


def test_look_ups_behind_includes_of_the_zone_count_for_the_limit() -> None:
    inner = txt("v=spf1 " + " ".join(f"include:s{n}.example" for n in range(10)) + " -all", owner="_spf.example.org")
    answer = judge(f"v=spf1 {OURS} include:_spf.example.org ~all", inner, senders=["include:_spf.example.org"])
    assert isinstance(answer, Fail)
    assert "11 look-ups" in answer.why


def test_an_include_that_comes_back_fails() -> None:
    inner = txt("v=spf1 include:example.org -all", owner="_spf.example.org")
    answer = judge(f"v=spf1 {OURS} include:_spf.example.org ~all", inner, senders=["include:_spf.example.org"])
    assert isinstance(answer, Fail)
    assert "include:example.org" in answer.why


def test_an_include_of_a_name_with_texts_but_no_record_fails() -> None:
    inner = txt("site=1", owner="_spf.example.org")
    answer = judge(f"v=spf1 {OURS} include:_spf.example.org ~all", inner, senders=["include:_spf.example.org"])
    assert isinstance(answer, Fail)
    assert "include:_spf.example.org: _spf.example.org. has no SPF record" in answer.why


def test_an_include_of_a_name_that_was_not_found_is_told() -> None:
    answer = judge(f"v=spf1 {OURS} include:_spf.example.org ~all", senders=["include:_spf.example.org"])
    assert isinstance(answer, Warn)
    assert "nothing was found in the zone for include:_spf.example.org" in answer.why


def test_the_third_term_that_finds_nothing_is_told() -> None:
    void = ["a:a.example.org", "a:b.example.org"]
    assert isinstance(judge(f"v=spf1 {OURS} {' '.join(void)} ~all", senders=void), Pass)
    void.append("mx:c.example.org")
    answer = judge(f"v=spf1 {OURS} {' '.join(void)} ~all", senders=void)
    assert isinstance(answer, Warn)
    assert "a:a.example.org, a:b.example.org and mx:c.example.org" in answer.why


def test_an_mx_term_with_eleven_exchanges_fails() -> None:
    exchanges = RRset.of("example.org", "MX", 300, *(f"10 m{number}.example." for number in range(11)))
    answer = judge(f"v=spf1 {OURS} mx ~all", exchanges, senders=["mx"])
    assert isinstance(answer, Fail)
    assert "mx: example.org. has 11 exchanges, more than 10" in answer.why


def test_two_records_that_stand_are_named_before_we_merge_ours_in() -> None:
    two = state(txt(OLD_SPF, "v=spf1 mx ~all"))
    change = Change(txt(OLD_SPF, "v=spf1 mx ~all"), txt(BOTH_SPF))
    answer = CHECK.judge(spec(), facts(Stage.OVERLAP, two, change))
    assert isinstance(answer, Fail)
    assert answer.why.startswith("example.org has 2 SPF records")
    assert repr(OLD_SPF) in answer.why
    assert repr("v=spf1 mx ~all") in answer.why


def test_a_record_that_cannot_be_read_fails() -> None:
    answer = judge("v=spf1 ipv4:192.0.2.1 -all", before="v=spf1 ip4:192.0.2.1 ipv4:x -all")
    assert isinstance(answer, Fail)
    assert "receivers cannot read the SPF record of example.org" in answer.why


def test_faults_of_a_record_that_is_left_alone_are_only_told() -> None:
    assert isinstance(stands(OLD_SPF, "v=spf1 mx ~all"), Warn)
    assert isinstance(stands("v=spf1 nonsense"), Warn)
    assert isinstance(stands("v=spf1 +all"), Warn)


def test_the_whole_world_must_not_send() -> None:
    answer = judge(f"v=spf1 {OURS} +all")
    assert isinstance(answer, Fail)
    assert "+all lets the whole world send" in answer.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"v=spf1 {OURS} ?all", "?all says nothing about forged mail"),
        (f"v=spf1 {OURS} -all redirect=other.example", "redirect= has no effect beside all"),
        (f"v=spf1 {OURS} ptr -all", "ptr is slow and many receivers ignore it"),
        (f"v=spf1 {OURS} exp={'x' * 450}.example ~all", "octets: over 450 an answer may be cut short"),
    ],
)
def test_what_is_unwise_is_told(text: str, why: str) -> None:
    answer = judge(text, senders=["ptr"])
    assert isinstance(answer, Warn)
    assert why in answer.why


def test_senders_that_the_spec_does_not_name_are_told_with_what_to_write() -> None:
    answer = judge(f"v=spf1 {OURS} include:shop.example ip4:203.0.113.0/24 ?mx ~all")
    assert isinstance(answer, Warn)
    assert answer.why.startswith("it also authorises include:shop.example and ip4:203.0.113.0/24, which the spec")
    assert answer.todo.endswith("senders: [include:shop.example, ip4:203.0.113.0/24]")


def test_a_domain_without_spf_passes() -> None:
    assert stands("site=1") == Pass("example.org has no SPF record")
    assert stands() == Pass("example.org has no SPF record")


def test_it_holds_back_spf_alone() -> None:
    assert gated(CHECK) == {"SPF widened"}
