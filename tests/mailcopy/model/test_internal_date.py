from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.internal_date import EARLIEST, moment, seconds, sendable
from reconciler.mailcopy.model.message import Row


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)), st.integers(-1439, 1439))  # noqa: DTZ001 - zone beside
def test_a_date_is_sent_as_the_same_moment(when: datetime, offset: int) -> None:
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    zone = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
    text = f"{when.day:2d}-{months[when.month - 1]}-{when.year:04d} {when:%H:%M:%S} {zone}"
    sent = sendable(text)
    assert sent is not None
    assert len(sent) == 26
    assert seconds(sent) == max(seconds(text) or 0, 0)


@given(st.text())
def test_anything_else_is_not_sent_at_all(text: str) -> None:
    assert sendable(text) is None or moment(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "31-Feb-2020 10:00:00 +0000",
        "01-Foo-2020 10:00:00 +0000",
        "1-Jan-2020 25:00:00 +0000",
        '01-Jan-2020 10:00:00 +0000" {5}',
        "01-Jan-2020 10:00:00 +9900",
        "00-Jan-2020 10:00:00 +0000",
        "01-Jan-2020 10:00:62 +0000",
        "01-Jan-2020 24:00:01 +0000",
        "01-Jan-0000 00:00:00 +0000",
    ],
)
def test_what_is_no_date_is_not_sent(text: str) -> None:
    assert sendable(text) is None


def test_a_date_before_1970_becomes_1970() -> None:
    assert sendable("31-Dec-1969 12:00:00 -0100") == EARLIEST
    assert sendable("01-Jan-1970 01:00:00 +0100") == EARLIEST
    assert Row(1, "", "31-Dec-1969 12:00:00 -0100", 1).arrived == seconds(EARLIEST) == 1
    assert sendable("01-Jan-0001 00:00:00 +1400") == EARLIEST


def test_two_zones_of_one_moment_are_equal() -> None:
    assert seconds("01-Jul-2020 12:00:00 +0200") == seconds(" 1-Jul-2020 10:00:00 +0000")
    assert moment("01-Jul-2020 12:00:00 +0200") == datetime(2020, 7, 1, 10, tzinfo=UTC)


def test_a_second_too_many_and_the_end_of_a_day_are_moments() -> None:
    assert sendable("31-Dec-2016 23:59:60 +0000") == "31-Dec-2016 23:59:59 +0000"
    assert sendable("31-Dec-2016 24:00:00 +0100") == "01-Jan-2017 00:00:00 +0100"


def test_what_is_spelt_otherwise_is_sent_as_the_standard_wants_it() -> None:
    assert sendable("Tue, 5 Mar 24 10:00 PST") == "05-Mar-2024 10:00:00 -0800"
    assert sendable("5-3-2024 10.00.00") == "05-Mar-2024 10:00:00 +0000"
    assert Row(1, "", "2024-03-05T10:00:00Z", 1).arrived == seconds(" 5-Mar-2024 10:00:00 +0000")
