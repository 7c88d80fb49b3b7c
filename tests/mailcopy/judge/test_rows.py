import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.judge.rows import Told, read_row

SEEN = frozenset({"\\Seen"})
DATE = "05-Mar-2024 10:00:00 +0000"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b"* 3 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 12)\r\n"], Told(3, 7, SEEN, None, 12)),
        ([b'* 3 FETCH (INTERNALDATE "05-Mar-2024 10:00:00 +0000" UID 7)\r\n'], Told(3, 7, None, DATE)),
        ([b"* 3 FETCH (UID 7 BODY[] ", b"text", b")\r\n"], Told(3, 7, text=b"text")),
        ([b'* 3 FETCH (UID 7 BODY[] "a \\"b\\"")\r\n'], Told(3, 7, text=b'a "b"')),
        ([b"* 3 FETCH (UID 7 BODY[] NIL)\r\n"], Told(3, 7)),
        ([b"* 3 FETCH (UID 7 BODY[] ", b"NIL", b")\r\n"], Told(3, 7, text=b"NIL")),
        ([b"* 3 FETCH (UID 7 BODY[] ", b"UID", b")\r\n"], Told(3, 7, text=b"UID")),
        ([b"* 3 FETCH (BODY[] ", b"UID", b" UID 7)\r\n"], Told(3, 7, text=b"UID")),
        ([b"* 3 FETCH (UID 7 BODY[TEXT] ", b"x", b")\r\n"], Told(3, 7)),
        ([b"* 3 FETCH (UID 7 BODY[]<0> ", b"x", b")\r\n"], Told(3, 7)),
        ([b"* 3 FETCH (UID 7 BODY[HEADER] ", b"h", b" BODY[] ", b"t", b")\r\n"], Told(3, 7, header=b"h", text=b"t")),
        ([b'* 3 FETCH (UID 7 BODY[HEADER.FIELDS ("Date")] ', b"h", b")\r\n"], Told(3, 7, header=b"h")),
        ([b"* 3 FETCH (UID 7 RFC822.SIZE -1 FLAGS ())\r\n"], Told(3, 7, frozenset())),
        ([b"* 3 FETCH (UID 7 INTERNALDATE RFC822.SIZE 12)\r\n"], Told(3, 7, None, None, 12)),
        ([b'* 3 FETCH (FLAGS (\\Seen [x 100% a"b) UID 7)\r\n'], Told(3, 7, SEEN | {"[x", "100%", 'a"b'})),
        ([b"* 3 FETCH (FLAGS (UID 9) UID 7)\r\n"], Told(3, 7, frozenset({"uid", "9"}))),
        ([b'* 3 FETCH (UID 7 X-MAILBOX "Work")\r\n'], Told(3, 7, mailbox=b"Work")),
        (
            [b'* 3 FETCH (UID 7 FLAGS () X-GM-LABELS ("\\\\Important" "a)b"))\r\n'],
            Told(3, 7, frozenset({"$important"})),
        ),
        ([b'* 3 FETCH (UID 7 FLAGS () X-GM-LABELS ("Important"))\r\n'], Told(3, 7, frozenset())),
        (
            [b"* 3 FETCH (UID 7 FLAGS () X-GM-LABELS (", b"\\Important", b"))\r\n"],
            Told(3, 7, frozenset({"$important"})),
        ),
        ([b'* 3 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE "x)\r\n'], Told(3, 7, SEEN, is_whole=False)),
        ([b"* 3 FETCH (FLAGS () ENVELOPE (NIL UID 7\r\n"], Told(3, 7, frozenset(), is_whole=False)),
        ([b'* 3 FETCH (ENVELOPE ("UID 9" (\r\n'], Told(3, is_whole=False)),
        ([b"* 3 EXISTS\r\n"], None),
        ([b"* OK [UIDNEXT 4] FETCH (UID 3)\r\n"], None),
    ],
)
def test_a_row_says_what_its_items_say(parts: list[bytes], expected: Told | None) -> None:
    assert read_row(parts) == expected


@given(st.binary(max_size=60), st.lists(st.binary(max_size=5), max_size=3))
def test_whatever_a_server_sends_is_read_or_known_as_odd(rest: bytes, more: list[bytes]) -> None:
    told = read_row([b"* 1 FETCH (UID 5 " + rest, *(part for literal in more for part in (literal, b" "))])
    assert told is None or told.sequence == 1


@given(st.binary(min_size=1), st.permutations(["text", "header", "envelope"]))
def test_the_text_is_the_literal_behind_its_name(text: bytes, order: list[str]) -> None:
    items = {
        "text": (b"BODY[] ", text),
        "header": (b"BODY[HEADER] ", b"BODY[] x"),
        "envelope": (b"ENVELOPE (NIL ", b"BODY[] y"),
    }
    parts = [b"* 1 FETCH (UID 5 "]
    for name in order:
        before, literal = items[name]
        parts[-1] += before
        parts += [literal, b") " if name == "envelope" else b" "]
    parts[-1] += b")\r\n"
    assert read_row(parts) == Told(1, 5, header=b"BODY[] x", text=text)
