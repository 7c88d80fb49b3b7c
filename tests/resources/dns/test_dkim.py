from reconciler.extend import Standing
from reconciler.model.stage import Stage
from reconciler.resources.dns.dkim import KIND, desired, merge
from tests.support.specs import spec

NEW, OLD = "s2._domainkey.example.org.", "s1._domainkey.example.org."
REFERENCE = "${new/dkim_key/s2._domainkey.example.org}"


def laid(*wanted: str, observed: tuple[str, ...]) -> frozenset[str]:
    return merge(frozenset(wanted), Standing(NEW, frozenset(observed), frozenset({REFERENCE})))


def test_the_new_key_is_published_from_overlap_on_and_the_old_one_retired_at_decommission() -> None:
    claims = {stage: dict(desired(spec(), stage)) for stage in Stage}
    assert claims[Stage.PREPARE] == {NEW: None, OLD: None}
    for stage in (Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN):
        assert claims[stage] == {NEW: REFERENCE, OLD: None}
    assert claims[Stage.DECOMMISSION] == {NEW: REFERENCE}


def test_a_key_that_is_not_known_yet_is_wanted_as_it_is() -> None:
    assert laid(REFERENCE, observed=("v=DKIM1; p=old",)) == {REFERENCE}


def test_the_same_key_keeps_the_spelling_in_which_it_stands() -> None:
    stood = "k=rsa; p=AB CD; n=by hand"
    assert laid("v=DKIM1; k=rsa; p=ABCD", observed=(stood,)) == {stood}
    assert laid("v=DKIM1; k=rsa; p=ABCD", observed=(stood, "v=DKIM1; p=other")) == {stood}


def test_another_key_of_the_selector_is_replaced() -> None:
    assert laid("v=DKIM1; k=rsa; p=ABCD", observed=("v=DKIM1; p=",)) == {"v=DKIM1; k=rsa; p=ABCD"}


def test_nothing_is_left_where_nothing_is_claimed() -> None:
    assert laid(observed=("v=DKIM1; p=old",)) == frozenset()


def test_a_key_that_the_new_server_signs_with_is_not_retired_with_the_old_one() -> None:
    stood = "k=rsa; p=AB CD; n=by hand"
    standing = Standing(OLD, frozenset({stood, "v=DKIM1; p=old"}), frozenset(), frozenset({"v=DKIM1; k=rsa; p=ABCD"}))
    assert merge(frozenset(), standing) == {stood}


def test_a_key_of_the_new_server_that_nobody_publishes_is_not_published_for_that() -> None:
    standing = Standing(OLD, frozenset(), frozenset(), frozenset({"v=DKIM1; k=rsa; p=ABCD"}))
    assert merge(frozenset(), standing) == frozenset()


def test_a_revoked_key_that_is_wanted_is_never_taken_for_another_one() -> None:
    assert laid("v=DKIM1; p=", observed=("v=DKIM1; p=ABCD", "broken")) == {"v=DKIM1; p="}


def test_a_key_is_ours_and_other_texts_are_not() -> None:
    assert KIND.owns("v=DKIM1; p=abc")
    assert not KIND.owns("verification=abc")
    assert not KIND.moves
