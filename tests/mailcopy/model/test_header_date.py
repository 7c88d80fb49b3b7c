from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.header_date import header_date, header_moment


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"Date: Tue, 5 Mar 2024 10:00:01 +0100\r\nSubject: x", "05-Mar-2024 10:00:01 +0100"),
        (b"subject: x\ndate:\tTue, 05 Mar 2024\n 10:00 -0730", "05-Mar-2024 10:00:00 -0730"),
        (b"Date: 5 Mar 24 10:00:01 GMT", "05-Mar-2024 10:00:01 +0000"),
        (b"Date: 5 Mar 2024 10:00:01", "05-Mar-2024 10:00:01 +0000"),
        (b"Date: first\r\nDate: 5 Mar 2024 10:00:01 +0000", None),
        (b"Date: yesterday", None),
        (b"Date: 31 Feb 2024 10:00:00 +0000", None),
        (b"Subject: none", None),
        (b"X-Date: 5 Mar 2024 10:00:01 +0000", None),
        (b"", None),
    ],
)
def test_the_first_date_of_the_header_is_told_as_append_takes_it(header: bytes, told: str | None) -> None:
    assert header_date(header + b"\r\n\r\nDate: 1 Jan 2000 00:00:00 +0000\r\n") == told


@given(st.binary(max_size=60))
def test_nothing_that_stands_there_raises(text: bytes) -> None:
    header_date(b"Date: " + text + b"\r\n\r\nbody")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001 - made aware below
def test_every_moment_is_read_back(when: datetime) -> None:
    aware = when.replace(microsecond=0, tzinfo=UTC)
    assert header_moment(f"Date: {aware:%a, %d %b %Y %H:%M:%S %z}\r\n\r\n".encode()) == aware
