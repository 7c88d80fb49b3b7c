import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.mbox import letter, moment, split

LINE = b"From a@example.org Mon Jan  1 10:00:00 2024 +0000\n"


def texts(file: bytes, size: int = 7) -> list[bytes]:
    return [raw.text for raw in split(file[start : start + size] for start in range(0, len(file), size))]


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_messages_end_before_an_empty_line_and_a_line_from(size: int) -> None:
    file = (
        LINE + b"A: 1\n\none\n\n" + LINE + b"A: 2\n\ntwo\n\nFrom nobody at all\n>From quoted\n\n" + LINE + b"A: 3\n\n"
    )
    assert texts(file, size) == [b"A: 1\n\none\n", b"A: 2\n\ntwo\n\nFrom nobody at all\n>From quoted\n", b"A: 3\n"]


def test_a_content_length_that_fits_is_believed() -> None:
    body = b"before\n\n" + LINE + b"still the same\n"
    file = LINE + b"Content-Length: %d\n\n" % len(body) + body + b"\n" + LINE + b"A: 2\n\nend\n"
    assert len(texts(file)) == 2


@pytest.mark.parametrize("length", [0, 3, 10**11])
def test_a_content_length_that_does_not_fit_is_not(length: int) -> None:
    file = LINE + b"Content-Length: %d\n\none\n\n" % length + LINE + b"A: 2\n\ntwo\n"
    assert [text[-4:] for text in texts(file)] == [b"one\n", b"two\n"]


def test_where_each_message_stands_is_told() -> None:
    file = LINE + b"A: 1\n\none\n\n" + LINE.replace(b"\n", b"\r\n") + b"A: 2\r\n\r\ntwo\r\n\r\n" + LINE + b"A: 3\n\nx\n"
    for raw in split([file]):
        assert file[raw.offset :][: raw.length] == raw.line + raw.text
    assert len(list(split([file]))) == 3


def test_what_is_no_mbox_is_told() -> None:
    with pytest.raises(ValueError, match="no line From at octet 0"):
        texts(b"Received: by x\n\nbody\n")
    assert texts(b"") == []


@given(st.lists(st.binary(max_size=80), max_size=6), st.integers(1, 50))
def test_whatever_messages_hold_the_pieces_are_as_one(bodies: list[bytes], size: int) -> None:
    file = b"".join(LINE + b"A: 1\n\n" + body + b"\n\n" for body in bodies)
    assert texts(file, size) == texts(file, 10**6)
    assert b"".join(raw.line for raw in split([file])) == LINE * len(texts(file))


def test_what_programs_wrote_about_a_message_becomes_flags_and_is_no_part_of_it() -> None:
    text = (
        b"A: 1\nStatus: RO\nX-Status: AFDT\nX-Keywords: one\n two $x\nX-UID: 7\nContent-Length: 4\nB: 2\n\nStatus: R\n"
    )
    (raw,) = split([LINE + text])
    found = letter(raw)
    assert found.text == b"A: 1\nB: 2\n\nStatus: R\n"
    assert found.flags == "$x \\Answered \\Deleted \\Draft \\Flagged \\Seen one two"
    assert (found.old, found.arrived) == (True, 1_704_103_200)


def test_a_message_that_nobody_has_seen_is_new() -> None:
    (raw,) = split([LINE + b"A: 1\n\nx\n"])
    assert (letter(raw).old, letter(raw).flags, letter(raw).internal) == (False, "", False)
    (raw,) = split([LINE + b"X-IMAP: 1 2\nStatus: RO\n\nDON'T DELETE\n"])
    assert letter(raw).internal


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"From a Mon Jan  1 10:00:00 2024 +0200", 1_704_096_000),
        (b"From a Mon Jan  1 10:00:00 +0200 2024", 1_704_096_000),
        (b"From a Mon Jan  1 10:00 UTC 2024", 1_704_103_200),
        (b'From "a b"@x Mon, Jan 1 10:00:00 GMT 2024 remote from y', 1_704_103_200),
        (b"From a Mon Jan 99 10:00:00 2024", None),
        (b"From a yesterday", None),
    ],
)
def test_the_time_of_a_line_from(line: bytes, seconds: int | None) -> None:
    assert moment(line) == seconds


def test_a_time_without_a_zone_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT-3")
    time.tzset()
    try:
        assert moment(b"From a Mon Jan  1 10:00:00 2024") == 1_704_103_200 - 3 * 3600
    finally:
        monkeypatch.undo()
        time.tzset()
