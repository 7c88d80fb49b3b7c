import re
from collections.abc import Callable

import pytest

from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.model.grade import Grade, Kind
from tests.mailcopy.judge.conftest import ANN, Judge, told
from tests.mailcopy.judge.scripted import HangUp, Message, Server, mails, opening, row

Edit = Callable[[bytes], bytes]


def altered(server: Server, edit: Edit, *, uid: int = 2, only: bytes = b"RFC822.SIZE") -> None:
    """Have the server write one message's row otherwise."""
    server.row = lambda box, number, message, items: (
        edit(row(box, number, message, items))
        if message.uid == uid and only in items
        else row(box, number, message, items)
    )


def refusing(server: Server, *uids: int, what: bytes = b"RFC822.SIZE", end: bytes = b"NO cannot") -> None:
    """A FETCH of ``what`` shows the messages before one of these, and ends there."""

    def answer(tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if box is None or not said.startswith(b"UID FETCH ") or what not in said:
            return None
        _, _, chosen, items = said.split(b" ", 3)
        rows: list[bytes] = []
        for number, message in enumerate(server.boxes[box].messages, 1):
            if _chosen(message.uid, chosen):
                if message.uid in uids:
                    return b"".join(rows) + tag + b" " + end + b"\r\n"
                rows.append(server.row(box, number, message, items))
        return b"".join(rows) + tag + b" OK done\r\n"

    server.hook = answer


def _chosen(uid: int, chosen: bytes) -> bool:
    for part in chosen.replace(b"*", b"999").split(b","):
        first, _, last = part.partition(b":")
        if int(first) <= uid <= int(last or first):
            return True
    return False


PERFECT_ROWS: dict[str, Edit] = {
    "space before )": lambda text: text[:-3] + b" )\r\n",
    "lower case": lambda text: re.sub(rb"UID|FETCH|FLAGS|INTERNALDATE", lambda m: m[0].lower(), text),
    "MODSEQ": lambda text: text[:-3] + b" MODSEQ (17))\r\n",
    "date as a literal": lambda text: re.sub(rb'"([^"]*)"', lambda m: b"{%d}\r\n%s" % (len(m[1]), m[1]), text),
    "flags last": lambda text: text.replace(b"FLAGS () ", b"")[:-3] + b" FLAGS ())\r\n",
    "UID last": lambda text: text.replace(b"UID 2 ", b"")[:-3] + b" UID 2)\r\n",
    "an envelope": lambda text: text[:-3] + b' ENVELOPE ("FLAGS (\\\\Seen)" {5}\r\nUID 9 NIL))\r\n',
    "in two rows": lambda text: text.replace(b" INTERNALDATE", b")\r\n* 2 FETCH (UID 2 INTERNALDATE"),
    "the second without UID": lambda text: text.replace(b" INTERNALDATE", b")\r\n* 2 FETCH (INTERNALDATE"),
    "the first without UID": lambda text: b"* 2 FETCH (FLAGS ())\r\n" + text.replace(b"FLAGS () ", b""),
    "twice": lambda text: text + text,
    "no flags": lambda text: text.replace(b"FLAGS () ", b""),
    "flags NIL": lambda text: text.replace(b"FLAGS ()", b"FLAGS NIL"),
    "a string without end": lambda text: text.replace(b"+0000", b"\\"),
}


@pytest.mark.parametrize("edit", PERFECT_ROWS.values(), ids=PERFECT_ROWS)
def test_a_row_is_read_by_its_items_however_it_is_written(old: Server, judge: Judge, edit: Edit) -> None:
    altered(old, edit)
    verdict = judge()
    assert (verdict.grade, verdict.differences, verdict.messages) == (Grade.PERFECT, (), 5)


GOOD_ROWS: dict[str, tuple[Edit, Kind]] = {
    "date NIL": (lambda text: re.sub(rb'"[^"]*"', b"NIL", text), Kind.DATE),
    "no date": (lambda text: re.sub(rb' INTERNALDATE "[^"]*"', b"", text), Kind.DATE),
    "an odd date": (lambda text: re.sub(rb'"[^"]*"', b'"yesterday"', text), Kind.DATE),
    "a date without a value": (lambda text: re.sub(rb' "[^"]*"', b"", text), Kind.DATE),
    "size NIL": (lambda text: re.sub(rb"SIZE \d+", b"SIZE NIL", text), Kind.SIZE),
    "size -1": (lambda text: re.sub(rb"SIZE \d+", b"SIZE -1", text), Kind.SIZE),
    "size 0": (lambda text: re.sub(rb"SIZE \d+", b"SIZE 0", text), Kind.SIZE),
    "too small": (lambda text: re.sub(rb"SIZE \d+", b"SIZE 3", text), Kind.SIZE),
    "too big": (lambda text: re.sub(rb"SIZE \d+", b"SIZE 9999999", text), Kind.SIZE),
    "no size": (lambda text: re.sub(rb" RFC822.SIZE \d+", b"", text), Kind.SIZE),
}


@pytest.mark.parametrize(("edit", "kind"), GOOD_ROWS.values(), ids=GOOD_ROWS)
def test_a_message_is_a_row_with_a_uid_whatever_else_it_lacks(
    old: Server, judge: Judge, edit: Edit, kind: Kind
) -> None:
    altered(old, edit)
    verdict = judge()
    assert (told(verdict), verdict.messages) == ([("INBOX", kind, 1, True)], 5)


def test_sizes_that_nobody_tells_hide_no_other_text(old: Server, new: Server, judge: Judge) -> None:
    for server in (old, new):
        for message in server.boxes[b"INBOX"].messages:
            message.size = b"NIL"
    new.boxes[b"INBOX"].messages[1].text = new.boxes[b"INBOX"].messages[1].text.replace(b"hello", b"hullo")
    assert told(judge(sample=0)) == [("INBOX", Kind.SIZE, 2, True), ("INBOX", Kind.SIZE, 1, False)]


@pytest.mark.parametrize("end", [b"NO cannot", b"BAD what", b"NO [SERVERBUG] internal"])
def test_a_listing_that_is_refused_at_one_message_keeps_the_others(old: Server, judge: Judge, end: bytes) -> None:
    refusing(old, 2, end=end)
    verdict = judge()
    assert verdict.messages == 5
    assert told(verdict) == [("INBOX", Kind.DATE, 1, True), ("INBOX", Kind.SIZE, 1, True)]


def test_a_message_that_is_not_listed_at_all_is_not_judged(old: Server, judge: Judge) -> None:
    refusing(old, 2, what=b"UID FETCH", end=b"NO [UNAVAILABLE] disk")
    verdict = judge(sample=0)
    assert told(verdict) == [("INBOX", Kind.UNJUDGED, 1, False), ("INBOX", Kind.EXTRA, 1, True)]
    assert "[UNAVAILABLE] disk" in verdict.differences[0].example
    assert verdict.messages == 4


def test_the_same_on_the_target_is_not_judged_and_not_missing(new: Server, judge: Judge) -> None:
    refusing(new, 102, what=b"UID FETCH", end=b"NO disk")
    verdict = judge(sample=0)
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.UNJUDGED, 1, False)], Grade.INVESTIGATE)


def test_what_a_folder_says_that_it_holds_beyond_its_rows_is_not_judged(old: Server, new: Server, judge: Judge) -> None:
    altered(old, lambda _: b"", only=b"UID")
    assert told(judge(sample=0)) == [("INBOX", Kind.UNJUDGED, 1, False), ("INBOX", Kind.EXTRA, 1, True)]
    new.boxes[b"INBOX"].messages.pop(1)
    assert told(judge(sample=0)) == [("INBOX", Kind.UNJUDGED, 1, False)]


def test_a_folder_that_does_not_say_what_it_holds_is_listed_all_the_same(old: Server, judge: Judge) -> None:
    old.opening = lambda *what, **how: b"".join(
        line for line in opening(*what, **how).splitlines(keepends=True) if b"EXISTS" not in line
    )
    assert judge().grade is Grade.PERFECT
    old.hook = lambda tag, said, box: (
        tag + b" NO [PARSE] broken\r\n" if box == b"INBOX" and b"UID FETCH" in said else None
    )
    assert told(judge())[0] == ("INBOX", Kind.UNJUDGED, 1, False)


def test_a_server_that_lists_some_of_many_is_asked_for_the_rest(old: Server, new: Server, judge: Judge) -> None:
    for server in (old, new):
        server.boxes[b"INBOX"].messages = mails(*range(1, 40))

    def some(tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if box != b"INBOX" or b"RFC822.SIZE" not in said:
            return None
        _, _, chosen, items = said.split(b" ", 3)
        shown = [(n, m) for n, m in enumerate(old.boxes[box].messages, 1) if _chosen(m.uid, chosen)][:10]
        return b"".join(row(box, n, m, items) for n, m in shown) + tag + b" OK\r\n"

    old.hook = some
    assert judge().messages == 41
    assert judge().grade is Grade.PERFECT


def test_mail_that_comes_while_the_folder_is_listed_hides_nothing(old: Server, judge: Judge) -> None:
    """It belongs to the next pass; the message that is not shown is counted all the same."""
    inbox = old.boxes[b"INBOX"].messages

    def arrive(tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if box != b"INBOX" or b"UID FETCH" not in said or b"SIZE" not in said:
            return None
        late = Message(9, mails(9)[0].text)
        rows = [row(box, n, m, said) for n, m in enumerate([*inbox, late], 1) if m.uid != 2]
        return b"* 4 EXISTS\r\n" + b"".join(rows) + tag + b" OK\r\n"

    old.hook = arrive
    found = told(judge(sample=0))
    assert ("INBOX", Kind.UNJUDGED, 1, False) in found


@pytest.mark.parametrize("what", [b"HEADER.FIELDS", b"BODY.PEEK[HEADER"])
@pytest.mark.parametrize("end", [b"NO cannot", b"BAD what"])
def test_a_header_that_is_not_shown_alone_is_read_with_the_text(
    old: Server, judge: Judge, what: bytes, end: bytes
) -> None:
    refusing(old, 2, what=what, end=end)
    assert judge().grade is Grade.PERFECT


def test_a_message_without_a_header_that_can_be_had_is_not_judged(old: Server, judge: Judge) -> None:
    refusing(old, 2, what=b"BODY.PEEK[", end=b"NO [PARSE] broken")
    verdict = judge()
    assert told(verdict) == [("INBOX", Kind.UNJUDGED, 1, False), ("INBOX", Kind.EXTRA, 1, True)]
    assert verdict.differences[0].example == "UID 2: [PARSE] broken"


def test_on_the_target_such_a_message_is_not_missing(new: Server, judge: Judge) -> None:
    refusing(new, 102, what=b"BODY.PEEK[", end=b"NO [PARSE] broken")
    verdict = judge()
    assert told(verdict) == [("INBOX", Kind.UNJUDGED, 1, False)]
    assert verdict.differences[0].example == "target UID 102: [PARSE] broken"


def test_what_the_copier_has_refused_in_words_is_explained(
    old: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    state = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7))
    ledger.record(state.number, [Record(2, Fate.REFUSED, words="[PARSE] broken")])
    new.boxes[b"INBOX"].messages.pop(1)
    refusing(old, 2, what=b"BODY.PEEK[", end=b"NO [PARSE] broken")
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.UNJUDGED, 1, True)], Grade.GOOD)
    refusing(old, 2, what=b"UID FETCH", end=b"NO [PARSE] broken")
    assert told(judge()) == [("INBOX", Kind.UNJUDGED, 1, True)]
    assert judge().differences[0].explained == "refused: [PARSE] broken"


def test_a_message_that_ends_the_connection_is_not_judged_and_the_others_are(old: Server, judge: Judge) -> None:
    def cut(_tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if box == b"INBOX" and b"BODY.PEEK[" in said and _chosen(2, said.split(b" ")[2]):
            raise HangUp
        return None

    old.hook = cut
    verdict = judge()
    assert told(verdict) == [("INBOX", Kind.UNJUDGED, 1, False), ("INBOX", Kind.EXTRA, 1, True)]
    assert verdict.messages == 4


def test_messages_that_the_copier_was_refused_end_one_connection_at_most(
    old: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    """They are asked for after the others, and what one does speaks for the rest."""
    for server in (old, new):
        server.boxes[b"INBOX"].messages = mails(*range(1, 61))
    del new.boxes[b"INBOX"].messages[:30]
    cuts: list[bytes] = []

    def cut(_tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if box == b"INBOX" and b"BODY.PEEK[" in said and any(_chosen(uid, said.split(b" ")[2]) for uid in range(1, 31)):
            cuts.append(said)
            raise HangUp
        return None

    old.hook = cut
    verdict = judge()
    assert verdict.messages > 2
    assert len(cuts) <= 100
    state = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7))
    ledger.record(state.number, [Record(uid, Fate.REFUSED, words="connection lost") for uid in range(1, 31)])
    cuts.clear()
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.UNJUDGED, 30, True)], Grade.GOOD)
    assert len(cuts) == 1


@pytest.mark.parametrize("validity", [8, 7])
def test_the_ledger_says_nothing_of_uids_under_another_uidvalidity(
    old: Server, new: Server, judge: Judge, ledger: SqlLedger, validity: int
) -> None:
    state = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7))
    ledger.record(state.number, [Record(2, Fate.REFUSED, words="too big")])
    new.boxes[b"INBOX"].messages.pop(1)
    old.boxes[b"INBOX"].uidvalidity = validity
    assert told(judge()) == [("INBOX", Kind.MISSING, 1, validity == 7)]


@pytest.mark.parametrize(
    ("uidnext", "copied", "believed"), [(None, 2, True), (3, 2, False), (None, 1, False)], ids=["", "behind", "open"]
)
def test_that_a_message_came_later_is_believed_of_a_server_that_counts_right(
    old: Server, new: Server, judge: Judge, ledger: SqlLedger, uidnext: int | None, copied: int, believed: bool
) -> None:
    state = FolderState(0, b"INBOX", 7, b"INBOX", 7, uidnext=3, messages=2, copied=copied)
    ledger.open_folder(ANN, state)
    old.boxes[b"INBOX"].uidnext = uidnext
    new.boxes[b"INBOX"].messages.pop()
    assert told(judge()) == [("INBOX", Kind.MISSING, 1, believed)]


def test_dates_of_the_header_are_what_is_expected_where_the_spec_says_so(
    new: Server, judge: Judge, old: Server
) -> None:
    for server in (old, new):
        del server.boxes[b"Work"]
    for message in new.boxes[b"INBOX"].messages:
        message.date = b'"05-Mar-2024 10:00:00 +0100"'  # the same moment as their Date
    by_header = Rules(date_from_header=True)
    assert judge(by_header).grade is Grade.PERFECT
    assert told(judge()) == [("INBOX", Kind.DATE, 3, False)]
    for server in (old, new):
        text = server.boxes[b"INBOX"].messages[0].text
        server.boxes[b"INBOX"].messages[0].text = text.replace(b"Date: Tue, 5 Mar", b"Date: at noon")
    assert told(judge(by_header)) == [("INBOX", Kind.DATE, 1, False)]
    new.boxes[b"INBOX"].messages[0].date = old.boxes[b"INBOX"].messages[0].date
    assert judge(by_header).grade is Grade.PERFECT
