from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.date_spellings import read_date
from reconciler.mailcopy.model.internal_date import moment, sendable

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
TEN = datetime(2024, 3, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "05-Mar-2024 10:00:00 +0000",
        " 5-Mar-2024 10:00:00 +0000",
        "5-Mar-2024 10:00:00 +0000",
        "5-mar-2024 10:00:00 +0000",
        "05-MAR-2024 10:00:00 +0000",
        "05-March-2024 10:00:00 +0000",
        "05-03-2024 10:00:00 +0000",
        "05-Mar-24 10:00:00 +0000",
        "05-Mar-124 10:00:00 +0000",
        "05-Mar-2024 10:00 +0000",
        "05-Mar-2024 10:00:00",
        "05-Mar-2024 10:00",
        "05-Mar-2024 1:00 -0900",
        "05-Mar-2024 10:00:00 GMT",
        "05-Mar-2024 10:00:00 UT",
        "05-Mar-2024 10:00:00 UTC",
        "05-Mar-2024 10:00:00 Z",
        "05-Mar-2024 05:00:00 EST",
        "05-Mar-2024 02:00:00 PST",
        "05-Mar-2024 11:00:00 CET",
        "05-Mar-2024 10:00:00 XYZ",
        "05-Mar-2024 10:00:00 +0000 (UTC)",
        "05-Mar-2024 11:00:00 +0100 (Westeurop\u00e4ische Normalzeit)",
        "05-Mar-2024 11:00:00 +0100 CET",
        "05-Mar-2024 02:00:00 (PST)",
        "05-Mar-2024 10:00:00 (a (nested) comment)",
        "05-Mar-2024 10:00:00+0000",
        "05-Mar-2024 11:00:00 +01:00",
        "05-Mar-2024 11:00:00 +01",
        "05-Mar-2024 11:00:00 GMT+0100",
        "05-Mar-2024 10:00:00 -0000",
        "05-Mar-2024 10.00.00 +0000",
        "05.Mar.2024 10.00.00 +0000",
        "05/Mar/2024:10:00:00 +0000",
        "05.03.2024 10:00",
        "03/05/24 10:00:00",
        "2024/03/05 10:00:00",
        "2024-03-05 10:00:00",
        "2024-Mar-05 10:00:00",
        "2024-03-05T10:00:00Z",
        "2024-03-05T10:00:00.123Z",
        "2024-03-05t11:00:00+01:00",
        "20240305T100000Z",
        "20240305100000",
        "Tue, 5 Mar 2024 10:00:00 +0000",
        "Tue 5 Mar 2024 10:00:00 +0000",
        "Tuesday, 05 March 2024 10:00:00 GMT",
        "Di, 5 Mar 2024 10:00:00 +0000",
        "Tue, 5, Mar 2024 10:00:00 +0000",
        "Tue,  5 Mar  2024\t10:0:0   +0000",
        "Tue Mar  5 10:00:00 2024",
        "Tue Mar  5 03:00:00 MST 2024",
        "Tue Mar 05 2024 11:00:00 GMT+0100 (CET)",
        "Mar 5 2024 10:00:00 +0000",
        "Tuesday, March 5, 2024 10:00 AM",
        "March 5th, 2024, 10:00",
        "05-Mar-2024 10:00:00 AM +0000",
        "Date: 2024/03/05 10:00:00 ",
        "04-Mar-2024 22:00:00 -1200",
        '"05-Mar-2024   10:00:00   +0000"',
        "\t05-Mar-2024\u00a010:00:00 +0000\r\n",
    ],
)
def test_every_spelling_is_read_as_the_same_moment(text: str) -> None:
    assert read_date(text) == moment(text) == TEN


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Wednesday, December 18, 2002 03:07 PM", datetime(2002, 12, 18, 15, 7, tzinfo=UTC)),
        ("5-Mar-2024 12:30 AM", datetime(2024, 3, 5, 0, 30, tzinfo=UTC)),
        ("5-Mar-2024 12:30 p.m.", datetime(2024, 3, 5, 12, 30, tzinfo=UTC)),
        ("21-Jun-2001", datetime(2001, 6, 21, tzinfo=UTC)),
        ("Tue, 24 Aug 77 16:00:00 +0200", datetime(1977, 8, 24, 14, tzinfo=UTC)),
        ("96-Jul-17 10:00", datetime(1996, 7, 17, 10, tzinfo=UTC)),
        ("31-Dec-99 24:00:00 +0000", datetime(2000, 1, 1, tzinfo=UTC)),
        ("31-Dec-1998 23:59:60 +0000", datetime(1998, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("13/02/2009 10:00", datetime(2009, 2, 13, 10, tzinfo=UTC)),
        ("05-Mar-2124 10:00:00 +0000", datetime(2124, 3, 5, 10, tzinfo=UTC)),
    ],
)
def test_what_is_told_is_what_is_read(text: str, when: datetime) -> None:
    assert moment(text) == when


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NIL",
        "Mar",
        "10:00:00 +0000",
        "31-Feb-2024 10:00",
        "05-Mar-20244 10:00:00",
        "5-13-2024 25:00",
        "31-Dec-9999 24:00:00",
        "05-Mar-2024 10:00:00 +0000 and more",
        "05-Mar-2024 10:00:00 +99:00",
        '05-Mar-2024 10:00:00 +0000" {5}',
        "05-Mar-2024 10:00:00 +0000\r\nx1 DELETE INBOX",
        "05-Mar-2024 1\u0660:00:00",
        "Message 5 of 2024",
        "5 March 2024 (" * 20,
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert moment(text) is None


PIECES = ("5", "05", "2024", "24", "Mar", "march", "3", "10:00", "10.00.60", "+0100", "(CET)", "PM", "Tue,", "-", "/",
          ".", ",", " ", "T", "Z", '"', "24:00:00", "\t", "(", ")", "9999")  # fmt: skip
pieces = st.sampled_from(PIECES)


@given(st.text(max_size=150) | st.lists(pieces, max_size=12).map("".join) | st.lists(pieces, max_size=9).map(" ".join))
def test_no_text_is_too_strange(text: str) -> None:
    found = moment(text)
    assert found is None or found.tzinfo is not None
    sent = sendable(text)
    assert (sent is None) == (found is None)
    assert sent is None or len(sent) == 26


def offset(minutes: int) -> tuple[str, int]:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}", minutes


ZONES = (("GMT", 0), ("EST", -300), ("PDT", -420), ("CEST", 120), ("(MSK)", 180))


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2049, 12, 30)),  # noqa: DTZ001 - zone beside
    st.integers(-719, 840).map(
        lambda minutes: (f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}", minutes)
    )
    | st.sampled_from(ZONES),
    st.data(),
)
def test_a_date_in_any_spelling_is_the_same_moment(when: datetime, zone: tuple[str, int], data: st.DataObject) -> None:
    when = when.replace(microsecond=0)
    name, minutes = zone
    word = MONTHS[when.month - 1][: data.draw(st.sampled_from([3, 9]))]
    word = data.draw(st.sampled_from([word, word.upper(), word.lower()]))
    day = data.draw(st.sampled_from([f"{when.day}", f"{when.day:02d}", f"{when.day:2d}"]))
    year = data.draw(st.sampled_from([f"{when.year}", f"{when.year % 100:02d}"]))
    colon = data.draw(st.sampled_from([":", "."]))
    time = data.draw(
        st.sampled_from(
            [
                f"{when.hour:02d}{colon}{when.minute:02d}{colon}{when.second:02d}",
                f"{when.hour}{colon}{when.minute}{colon}{when.second}",
                f"{when.hour % 12 or 12}:{when.minute:02d}:{when.second:02d} {'PM' if when.hour > 11 else 'AM'}",
            ]
        )
    )
    text = data.draw(
        st.sampled_from(
            [
                f"{day}-{word}-{year} {time} {name}",
                f"{day}.{word}.{year}  {time} {name}",
                f"{when:%a}, {day} {word} {year} {time} {name}",
                f"{when:%A}, {word} {when.day}, {when.year} {time} {name}",
                f"{when:%a} {word} {day} {time} {name} {when.year}",
                f"{when.year}-{when.month:02d}-{when.day:02d}T{time}{name if name[0] in '+-' else ' ' + name}",
                f"{when.year}/{when.month}/{when.day} {time} {name}",
                f"{when.day}-{when.month}-{when.year}\t{time} {name}",
                f'"{day}-{word}-{when.year} {time} {name}"',
            ]
        )
    )
    assert moment(text) == when.replace(tzinfo=timezone(timedelta(minutes=minutes))), text
