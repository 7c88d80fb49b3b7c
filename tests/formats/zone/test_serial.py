"""The SOA serial always goes up, in the form that it has."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.formats.zone.serial import raised

NOW = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("serial", "following"),
    [
        (1, 2),
        (2026030107, 2026030200),
        (2026030200, 2026030201),
        (2026030299, 2026030300),
        (2030010100, 2030010101),
        (2026023001, 2026023002),  # no such day: a plain number
        (1772409600, 1772409601),  # a Unix time
        (17320101, 17320102),
        (2**32 - 1, 1),  # RFC 1982; zero left out
    ],
)
def test_the_next_serial(serial: int, following: int) -> None:
    assert raised(serial, NOW) == following


@given(st.integers(0, 2**32 - 1), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_secondaries_take_every_next_serial_for_newer(serial: int, now: datetime) -> None:
    following = raised(serial, now.replace(tzinfo=UTC))
    assert 0 < following < 2**32
    assert 0 < (following - serial) % 2**32 < 2**31  # RFC 1982, section 3.2
