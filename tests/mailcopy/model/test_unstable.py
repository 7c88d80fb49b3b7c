import pytest

from reconciler.mailcopy.model.unstable import keeps_what_stays

MAIL = (
    "Message-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary={0}\r\n\r\n--{0}\r\n\r\nhello\r\nyou\r\n--{0}--\r\n"
)


def shown(boundary: str) -> bytes:
    return MAIL.format(boundary).encode()


def test_a_third_reading_is_right_where_the_other_two_agree() -> None:
    assert keeps_what_stays(shown("b1"), shown("b2"), shown("b3"))
    assert keeps_what_stays(shown("b1"), shown("b2"), shown("b1"))


def test_line_ends_that_servers_rewrite_are_no_difference() -> None:
    assert keeps_what_stays(shown("b1"), shown("b2"), shown("b3").replace(b"\r\n", b"\n"))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(shown("b3").replace(b"hello", b"hallo"), id="another line"),
        pytest.param(shown("b3").replace(b"hello\r\nyou", b"you\r\nhello"), id="another order"),
        pytest.param(shown("b3").replace(b"hello\r\n", b""), id="a line less"),
        pytest.param(shown("b3") + b"more\r\n", id="a line more"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_stays_the_same_must_be_there(target: bytes) -> None:
    assert not keeps_what_stays(shown("b1"), shown("b2"), target)


def test_readings_may_have_different_numbers_of_lines() -> None:
    longer = shown("b2").replace(b"\r\n\r\n", b"\r\nX-Read: twice\r\n\r\n", 1)
    assert keeps_what_stays(shown("b1"), longer, shown("b3"))
    assert keeps_what_stays(longer, shown("b1"), longer.replace(b"b2", b"b3"))
    assert not keeps_what_stays(longer, shown("b1"), longer.replace(b"hello", b"hallo"))
