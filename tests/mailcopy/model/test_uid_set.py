import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.uid_set import parse, ranges, write

uids = st.sets(st.integers(1, 2**32 - 1), max_size=400)


@given(uids)
def test_a_set_comes_back_in_order(numbers: set[int]) -> None:
    assert [uid for text in write(numbers) for uid in parse(text)] == sorted(numbers)


def test_runs_become_ranges() -> None:
    assert list(ranges([3, 1, 2, 7])) == [(1, 3), (7, 7)]
    assert write([3, 1, 2, 7]) == ["1:3,7"]


def test_no_set_is_longer_than_a_command_line() -> None:
    sets = write(range(1, 60_000, 2))
    assert len(sets) > 1
    assert max(map(len, sets)) <= 6000


def test_a_range_may_be_written_backwards() -> None:
    assert parse("5:3,9") == [3, 4, 5, 9]


@pytest.mark.parametrize("text", ["1:4294967295", "1,2,3,4", "1:2,5:6"])
def test_a_set_that_has_more_than_there_can_be_is_refused_before_it_is_in_memory(text: str) -> None:
    with pytest.raises(ValueError, match="more than 3"):
        parse(text, 3)


@pytest.mark.parametrize(
    "text", ["", "0", "4294967296", f"{'9' * 50}:1", "9" * 5000, "1:", ":", "*", "1,,2", "-1", "²"]
)
def test_what_is_no_uid_makes_no_set(text: str) -> None:
    with pytest.raises(ValueError, match=r"no UID|invalid literal|integer string"):
        parse(text, 9)
