from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.matching import Text, match, pair_by_text
from reconciler.mailcopy.model.message import Identity, Row

DATES = ("01-Jan-2024 10:00:00 +0000", "02-Jan-2024 10:00:00 +0000")


def who(name: str) -> Identity:
    return Identity(name.encode(), b"digest of " + name.encode())


def test_equal_date_and_size_alone_pair_nothing() -> None:
    found = match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[0], 10)], {1: who("a")}, {9: who("b")})
    assert found.pairs == {}
    assert found.open_source == ()


def test_three_here_and_two_there_leave_one() -> None:
    source = [Row(uid, "", DATES[0], 10) for uid in (1, 2, 3)]
    target = [Row(uid, "", DATES[0], 10) for uid in (7, 8)]
    found = match(source, target, dict.fromkeys((1, 2, 3), who("a")), dict.fromkeys((7, 8), who("a")))
    assert found.pairs == {1: 7, 2: 8}


def test_the_strictest_equality_comes_first() -> None:
    source = [Row(1, "", DATES[0], 10), Row(2, "", DATES[1], 10)]
    target = [Row(8, "", DATES[1], 10), Row(9, "", DATES[0], 10)]
    found = match(source, target, dict.fromkeys((1, 2), who("a")), dict.fromkeys((8, 9), who("a")))
    assert found.pairs == {1: 9, 2: 8}


def test_a_changed_date_or_a_changed_size_still_pairs_but_not_both() -> None:
    same = {1: who("a")}, {9: who("a")}
    assert match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[1], 10)], *same).pairs == {1: 9}
    assert match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[0], 12)], *same).pairs == {1: 9}
    both = match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[1], 12)], *same)
    assert both.pairs == {}
    assert (both.open_source, both.open_target) == ((1,), (9,))


def test_messages_without_a_message_id_wait_for_their_text() -> None:
    nobody = Identity(b"", b"same header")
    found = match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[0], 10)], {1: nobody}, {9: nobody})
    assert found.pairs == {}
    assert (found.open_source, found.open_target) == ((1,), (9,))
    assert pair_by_text([Text(1, nobody, b"x", 5)], [Text(9, nobody, b"x", 5)]) == {1: 9}
    assert pair_by_text([Text(1, nobody, b"x", 5)], [Text(9, nobody, b"y", 5)]) == {}


def test_the_same_words_of_another_date_are_one_message_only_under_one_message_id() -> None:
    nobody = Identity(b"", b"same header")
    assert pair_by_text([Text(1, nobody, b"x", 5)], [Text(9, nobody, b"x", 6)]) == {}
    assert pair_by_text([Text(1, who("a"), b"x", 5)], [Text(9, who("a"), b"x", 6)]) == {1: 9}


def test_of_equal_texts_those_of_one_date_are_paired_first() -> None:
    mine = [Text(1, who("a"), b"x", 5), Text(2, who("a"), b"x", 6)]
    assert pair_by_text(mine, [Text(9, who("a"), b"x", 6)]) == {2: 9}


def test_a_date_that_says_nothing_keeps_no_equal_texts_apart() -> None:
    weak = who("")
    assert pair_by_text([Text(1, weak, b"x", None)], [Text(9, weak, b"x", 6)]) == {1: 9}
    assert pair_by_text([Text(1, weak, b"x", 6)], [Text(9, weak, b"x", None)]) == {1: 9}
    assert pair_by_text([Text(1, weak, b"x", 5)], [Text(8, weak, b"x", None), Text(9, weak, b"x", 5)]) == {1: 9}
    assert pair_by_text([Text(1, weak, b"x", 5)], [Text(9, weak, b"x", 6)]) == {}
    assert pair_by_text([Text(1, weak, b"x", None), Text(2, weak, b"x", 6)], [Text(9, weak, b"x", 6)]) == {2: 9}


def test_texts_that_differ_in_what_servers_rewrite_are_not_taken_for_one_another_where_both_stand() -> None:
    weak = who("")
    mine = [Text(1, weak, b"x", 5, b"one"), Text(2, weak, b"x", 5, b"two")]
    assert pair_by_text(mine, [Text(8, weak, b"x", 5, b"two")]) == {2: 8}
    assert pair_by_text(mine, [Text(8, weak, b"x", 5, b"two"), Text(9, weak, b"x", 5, b"rewritten")]) == {2: 8, 1: 9}
    assert pair_by_text(mine, [Text(8, weak, b"cut at the end", 5, b"two")]) == {2: 8}


def test_a_message_that_vanished_is_paired_with_nothing() -> None:
    assert match([Row(1, "", DATES[0], 10)], [Row(9, "", DATES[0], 10)], {}, {9: who("a")}).pairs == {}


rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(DATES), st.integers(1, 3)), max_size=12)


@given(rows, rows)
def test_every_message_is_paired_at_most_once_and_equal_ones_as_often_as_both_sides_have_them(
    source: list[tuple[str, str, int]], target: list[tuple[str, str, int]]
) -> None:
    left = [Row(number, "", date, size) for number, (_, date, size) in enumerate(source, 1)]
    right = [Row(number, "", date, size) for number, (_, date, size) in enumerate(target, 1)]
    ids = (
        {n: who(name) for n, (name, _, _) in enumerate(source, 1)},
        {n: who(name) for n, (name, _, _) in enumerate(target, 1)},
    )
    found = match(left, right, *ids)
    assert len(set(found.pairs.values())) == len(found.pairs)
    assert all(ids[0][here] == ids[1][there] for here, there in found.pairs.items())
    for key in set(source):
        paired = sum(source[here - 1] == key for here in found.pairs)
        assert paired >= min(source.count(key), target.count(key))
