from dataclasses import replace

from reconciler.checks.selector_collision import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from reconciler.resources.server.dkim_key import DkimKey
from tests.support.changes import KEY, gated, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

AT_S2 = "s2._domainkey.example.org"
OTHER = "v=DKIM1; k=rsa; p=BBBB"


def made(public="AAAA", selector="s2"):
    return DkimKey(place=Place.NEW, name=f"{selector}._domainkey.example.org", public=public)


def judge(*world, **more):
    return CHECK.judge(spec(**more), facts(Stage.OVERLAP, state(*world)))


def test_a_free_selector_passes() -> None:
    assert judge(made()) == Pass("selectors of the new server: s2, no other key there")


def test_the_same_key_in_other_words_is_no_collision() -> None:
    assert isinstance(judge(made(), txt("k=rsa; p=AA AA", owner=AT_S2)), Pass)


def test_another_key_at_the_selector_fails() -> None:
    answer = judge(made(), txt(OTHER, owner=AT_S2))
    assert isinstance(answer, Fail)
    assert answer.why == "s2._domainkey.example.org. stands in the zone with another key than the new server's"


def test_a_key_still_to_be_made_differs_from_any_that_stands() -> None:
    assert isinstance(judge(txt(KEY, owner=AT_S2)), Fail)


def test_a_key_still_to_be_imported_may_be_the_one_that_stands() -> None:
    carried = {"dkim": [{"selector": "s2", "key": "file:old.pem"}]}
    assert isinstance(judge(txt(KEY, owner=AT_S2), new=carried), Pass)


def test_a_key_that_nobody_can_read_may_be_the_one_that_stands() -> None:
    known = replace(facts(Stage.OVERLAP, state(txt(KEY, owner=AT_S2))), by_hand=frozenset({(Place.NEW, "dkim_key")}))
    assert isinstance(CHECK.judge(spec(), known), Pass)


def test_one_selector_for_two_keys_fails_even_without_a_record() -> None:
    answer = judge(made(selector="s1"), new={"dkim": ["s1"]})
    assert isinstance(answer, Fail)
    assert answer.why == "s1 is a selector of the old server and of the new one, with two keys"


def test_one_selector_for_a_key_that_was_carried_over_passes() -> None:
    world = (made(selector="s1"), txt(KEY, owner="s1._domainkey.example.org"))
    assert isinstance(judge(*world, new={"dkim": ["s1"]}), Pass)


def test_a_record_with_the_domain_twice_is_told() -> None:
    answer = judge(made(), txt(KEY, owner=f"{AT_S2}.example.org"))
    assert isinstance(answer, Warn)
    assert "s2._domainkey.example.org.example.org. stands in the zone, with the domain twice" in answer.why


def test_it_holds_back_keys_and_their_records() -> None:
    assert gated(CHECK) == {"key made", "key record made"}
