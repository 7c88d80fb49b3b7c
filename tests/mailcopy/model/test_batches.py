from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.batches import batch_count, batches, fitting
from reconciler.mailcopy.model.message import Row


@given(st.lists(st.integers(0, 50)), st.integers(1, 5), st.integers(1, 60))
def test_every_row_goes_once_and_in_order_within_the_bounds(sizes: list[int], most: int, octets: int) -> None:
    rows = [Row(uid, "", "", size) for uid, size in enumerate(sizes, 1)]
    groups = list(batches(rows, most, octets))
    assert [row for group in groups for row in group] == rows
    assert all(1 <= len(group) <= most for group in groups)
    assert all(len(group) == 1 or sum(row.size for row in group) <= octets for group in groups)


@given(st.lists(st.integers(0, 50)), st.integers(0, 300))
def test_what_fits_is_as_much_as_can_from_the_start(sizes: list[int], octets: int) -> None:
    rows = [Row(uid, "", "", size) for uid, size in enumerate(sizes, 1)]
    taken = fitting(rows, octets)
    assert taken == rows[: len(taken)]
    assert sum(sizes[: len(taken)]) <= octets
    assert len(taken) == len(rows) or sum(sizes[: len(taken) + 1]) > octets


def test_the_number_grows_with_the_folder() -> None:
    assert [batch_count(n) for n in (0, 5_000, 50_000, 1_000_000)] == [300, 300, 500, 1000]
