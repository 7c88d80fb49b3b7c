from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.flags import SYSTEM
from reconciler.mailcopy.model.judging import FORWARDED, REWRITTEN, Excuses, Judged, judge, settle
from reconciler.mailcopy.model.message import Identity
from reconciler.model.grade import Grade, Kind

SEEN = frozenset({"\\Seen"})


def message(uid: int, name: str = "a", size: int | None = 10, arrived: int = 5, flags: frozenset[str] = SEEN) -> Judged:
    return Judged(uid, Identity(name.encode(), b""), size, arrived, flags)


def kinds(source: list[Judged], target: list[Judged], excuses: Excuses | None = None) -> list[tuple[Kind, bool]]:
    found = judge("INBOX", source, target, excuses or Excuses(now=100))
    return [(difference.kind, bool(difference.explained)) for difference in found.differences]


def test_the_order_and_the_uids_do_not_matter() -> None:
    assert kinds([message(1), message(2, "b")], [message(8, "b"), message(9)]) == []


def test_each_kind_of_difference_is_told() -> None:
    assert kinds([message(1)], []) == [(Kind.MISSING, False)]
    assert kinds([message(1)], [message(1), message(2)]) == [(Kind.TWICE, False)]
    assert kinds([], [message(1)]) == [(Kind.EXTRA, True)]
    assert kinds([message(1)], [message(1, arrived=6)]) == [(Kind.DATE, False)]
    assert kinds([message(1)], [message(1, flags=frozenset())]) == [(Kind.FLAGS, False)]
    assert judge("A", [message(1)], [message(9, size=11)], Excuses()).doubtful == ((1, 9, False),)


def test_what_the_ledger_left_out_is_explained() -> None:
    found = judge("A", [message(1)], [], Excuses({1: "refused: too big"}))
    assert found.differences[0].explained == "refused: too big"


def test_explanations_of_flags_and_dates() -> None:
    deleted = message(1, flags=SEEN | {"\\Deleted"})
    assert kinds([deleted], [message(1)]) == [(Kind.FLAGS, True)]
    assert kinds([message(1)], [deleted]) == [(Kind.FLAGS, False)]
    moved = Excuses(flags_are_the_targets=True)
    assert kinds([message(1)], [message(1, flags=frozenset())], moved) == [(Kind.FLAGS, True)]
    keyword = message(1, flags=SEEN | {"Later"})
    assert kinds([keyword], [message(1)], Excuses(keywords_kept=False)) == [(Kind.FLAGS, True)]
    assert kinds([message(1, arrived=500)], [message(1, arrived=99)]) == [(Kind.DATE, True)]


def test_a_size_that_is_not_told_is_never_equal() -> None:
    untold = message(1, size=None)
    assert judge("A", [untold], [message(9)], Excuses()).doubtful == ((1, 9, False),)
    assert judge("A", [message(1)], [message(9, size=None)], Excuses()).doubtful == ((1, 9, False),)
    assert judge("A", [untold], [message(9, size=None)], Excuses()).doubtful == ((1, 9, False),)


def test_every_flag_that_is_not_there_needs_a_reason() -> None:
    flagged = message(1, flags=SEEN | {"k4", "k5"})
    words = "without keyword k4: NO [LIMIT] Too many user flags"
    assert kinds([flagged], [message(7)], Excuses(told={1: words})) == [(Kind.FLAGS, True)]
    assert kinds([flagged], [message(7)], Excuses(told={2: words})) == [(Kind.FLAGS, False)]
    assert kinds([flagged], [message(7, flags=frozenset())], Excuses(told={1: words})) == [(Kind.FLAGS, False)]
    bare = Excuses(told={1: "without flags: NO [CANNOT] read-only flags"})
    assert kinds([flagged], [message(7, flags=frozenset())], bare) == [(Kind.FLAGS, True)]
    found = judge("A", [flagged], [message(7, flags=frozenset({"k4"}))], Excuses(lost=frozenset(SYSTEM)))
    assert found.differences[0].explained == "the target folder keeps no flags"
    some_lost = Excuses(lost=frozenset({"\\Draft"}))
    assert kinds([message(1, flags=SEEN | {"\\Draft"})], [message(7)], some_lost) == [(Kind.FLAGS, True)]
    assert kinds([message(1, flags=SEEN)], [message(7, flags=frozenset())], some_lost) == [(Kind.FLAGS, False)]


def test_a_flag_that_no_copy_carries_is_told_and_one_that_a_server_makes_up_is_not() -> None:
    assert kinds([message(1, flags=SEEN | {"k" * 51})], [message(7)]) == [(Kind.FLAGS, True)]
    assert kinds([message(1)], [message(7, flags=SEEN | {"\\XAuto"})]) == []
    assert kinds([message(1)], [message(7, flags=SEEN | {"later"})]) == [(Kind.FLAGS, False)]


some = st.lists(
    st.builds(message, st.integers(1, 99), st.sampled_from("ab"), st.integers(1, 2) | st.none(), st.integers(1, 2)),
    max_size=8,
)


@given(some, some)
def test_differences_in_number_are_never_missed(source: list[Judged], target: list[Judged]) -> None:
    found = judge("A", source, target, Excuses()).differences
    count = {kind: sum(d.count for d in found if d.kind is kind) for kind in Kind}
    assert len(source) - count[Kind.MISSING] == len(target) - count[Kind.TWICE] - count[Kind.EXTRA]
    if None in {m.size for m in (*source, *target)} or Counter(m[1:3] for m in source) != Counter(
        m[1:3] for m in target
    ):
        assert found or judge("A", source, target, Excuses()).doubtful


def test_a_forwarded_copy_has_arrived_a_moment_later() -> None:
    verdict = judge("A", [message(1)], [message(9, size=11, arrived=7)], Excuses(now=100))
    assert verdict.differences == ()
    assert verdict.doubtful == ((1, 9, True),)
    forwarded = list(settle("A", verdict.doubtful, lambda _: FORWARDED, str))
    assert {(each.kind, each.grade) for each in forwarded} == {(Kind.SIZE, Grade.GOOD), (Kind.DATE, Grade.GOOD)}
    rewritten = list(settle("A", verdict.doubtful, lambda _: REWRITTEN, str))
    assert {(each.kind, each.grade) for each in rewritten} == {(Kind.SIZE, Grade.GOOD), (Kind.DATE, Grade.INVESTIGATE)}
