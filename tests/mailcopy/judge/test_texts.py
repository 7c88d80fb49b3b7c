import itertools

import pytest

from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.judge.comparing import APPROVED
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.model.grade import Grade, Kind
from tests.mailcopy.judge.conftest import ANN, Judge, told
from tests.mailcopy.judge.scripted import Message, Server, literal, row

PARTS = (
    b"Message-ID: <%d@x>\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=BOUND\r\n\r\n"
    b"--BOUND\r\n\r\nhello %d\r\n--BOUND--\r\n"
)
APPROVING = Rules(unstable_approved=True)


@pytest.fixture
def unstable(old: Server, new: Server) -> Server:
    """The source makes another boundary at each reading; the target holds what it was once."""
    numbers = itertools.count(10_000)

    def made_anew(box: bytes, number: int, message: Message, items: bytes) -> bytes:
        text = message.text.replace(b"BOUND", b"%d" % next(numbers))
        return row(box, number, Message(message.uid, text, message.flags, message.date), items)

    for server in (old, new):
        del server.boxes[b"Work"]
        for number, message in enumerate(server.boxes[b"INBOX"].messages):
            text = PARTS % (number, number)
            message.text = text.replace(b"BOUND", b"99999") if server is new else text
    old.row = made_anew
    return old


EXTRA_ITEMS = {
    "a header before": lambda message: b"BODY[HEADER] " + literal(message.header) + b" ",
    "a text before": lambda message: b"BODY[TEXT] " + literal(b"hello") + b" ",
    "an envelope": lambda _: b'ENVELOPE ("BODY[] {3}" ' + literal(b'Subject "quoted"') + b" NIL NIL) ",
    "flags": lambda _: b"FLAGS (\\Seen BODY[) ",
    "a structure": lambda _: b'BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1) ',
}


@pytest.mark.parametrize("extra", EXTRA_ITEMS.values(), ids=EXTRA_ITEMS)
def test_the_text_is_what_stands_behind_body_and_nothing_else(old: Server, judge: Judge, extra) -> None:
    old.row = lambda box, number, message, items: row(box, number, message, items).replace(
        b"BODY[] ", extra(message) + b"BODY[] "
    )
    assert judge().grade is Grade.PERFECT


def test_another_text_is_found(new: Server, judge: Judge) -> None:
    message = new.boxes[b"INBOX"].messages[0]
    message.text = message.text.replace(b"hello", b"hullo")
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.ALTERED, 1, False)], Grade.POOR)


def test_a_text_that_is_not_shown_is_not_judged(old: Server, new: Server, judge: Judge) -> None:
    for server, title in ((old, "UID 1"), (new, "UID 1: target UID 101")):
        server.hook = lambda tag, said, box: (
            tag + b" NO [PARSE] broken\r\n" if box == b"INBOX" and b"BODY.PEEK[]" in said and b"1 (" in said else None
        )
        verdict = judge()
        assert told(verdict) == [("INBOX", Kind.UNJUDGED, 1, False)]
        assert verdict.differences[0].example == f"{title}: [PARSE] broken"
        server.hook = lambda _tag, _said, _box: None


def test_a_message_that_vanishes_meanwhile_is_no_difference(old: Server, judge: Judge) -> None:
    def vanish(tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        gone = box == b"INBOX" and said in {b"UID FETCH 1 (UID BODY.PEEK[])", b"UID FETCH 1 (UID)"}
        return tag + b" OK nothing\r\n" if gone else None

    old.hook = vanish
    verdict = judge()
    assert (verdict.grade, verdict.sampled) == (Grade.PERFECT, 4)


def test_a_source_that_differs_from_itself_is_told_as_that(unstable: Server, judge: Judge) -> None:
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.UNSTABLE, 3, False)], Grade.INVESTIGATE)
    assert "another text at each reading" in verdict.differences[0].example
    assert unstable.said.count(b"UID FETCH 1 (UID BODY.PEEK[])") == 2


def test_so_it_is_where_the_sizes_leave_it_open(unstable: Server, judge: Judge) -> None:
    make_anew = unstable.row
    unstable.row = lambda *what: make_anew(*what).replace(b"RFC822.SIZE 1", b"RFC822.SIZE 2")
    assert told(judge(sample=0)) == [("INBOX", Kind.UNSTABLE, 3, False)]


def test_it_can_be_approved_and_the_text_is_remembered(
    unstable: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    number = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7)).number
    verdict = judge(APPROVING)
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.UNSTABLE, 3, True)], Grade.GOOD)
    assert verdict.differences[0].explained == APPROVED
    assert len(ledger.approved(number)) == 3
    message = new.boxes[b"INBOX"].messages[1]
    message.text = message.text.replace(b"99999", b"88888")
    later = judge(APPROVING, sample=0)  # what was approved is looked at each time
    assert told(later) == [("INBOX", Kind.UNSTABLE, 2, True), ("INBOX", Kind.UNSTABLE, 1, False)]
    assert "another text than the one that was approved" in later.differences[1].example


def test_an_approved_text_stays_right_where_the_source_has_come_to_rest(
    unstable: Server, judge: Judge, ledger: SqlLedger
) -> None:
    ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7))
    judge(APPROVING)
    unstable.row = lambda box, number, message, items: row(box, number, message, items).replace(b"BOUND", b"77777")
    assert judge(APPROVING).grade is Grade.GOOD


def test_where_what_stays_the_same_is_not_there_the_copy_is_altered(
    unstable: Server, new: Server, judge: Judge
) -> None:
    message = new.boxes[b"INBOX"].messages[1]
    message.text = message.text.replace(b"hello", b"hullo")
    verdict = judge(APPROVING)
    assert sorted(told(verdict)) == [("INBOX", Kind.ALTERED, 1, False), ("INBOX", Kind.UNSTABLE, 2, True)]
    assert verdict.grade is Grade.POOR


def test_a_text_whose_header_says_otherwise_than_the_listing_is_compared_all_the_same(
    new: Server, judge: Judge
) -> None:
    """Who pairs a message by one reading must not lose it by another."""
    message = new.boxes[b"INBOX"].messages[0]
    listed = row(b"INBOX", 1, message, b"BODY.PEEK[HEADER.FIELDS (X)]")
    held = Message(message.uid, message.text.replace(b"Subject: s", b"Subject: t"))
    new.row = lambda box, number, each, items: (
        (listed if b"HEADER" in items else row(box, number, held, items))
        if each is message
        else row(box, number, each, items)
    )
    assert told(judge()) == [("INBOX", Kind.ALTERED, 1, False)]
