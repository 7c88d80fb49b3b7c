import pytest

from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.model.grade import Grade, Kind
from tests.mailcopy.judge.conftest import ANN, Judge, told
from tests.mailcopy.judge.scripted import Server, row

LEFT_OFF = "without keyword k4: NO [LIMIT] Too many user flags"


@pytest.fixture
def flagged(old: Server) -> Server:
    for message in old.boxes[b"INBOX"].messages:
        message.flags = b"\\Seen k4"
    return old


def flags(server: Server, *each: bytes) -> None:
    for message, told_of_it in zip(server.boxes[b"INBOX"].messages, each, strict=True):
        message.flags = told_of_it


def test_flags_are_compared_whatever_their_case_and_without_recent(flagged: Server, new: Server, judge: Judge) -> None:
    flags(new, b"\\seen K4", b"k4 \\Recent \\SEEN", b"\\Seen k4")
    assert judge().grade is Grade.PERFECT


def test_what_the_copier_left_off_in_words_explains_that_message_alone(
    flagged: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    number = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7)).number
    ledger.record(number, [Record(1, Fate.COPIED, 101, "\\Seen", LEFT_OFF), Record(2, Fate.COPIED, 102)])
    flags(new, b"\\Seen", b"\\Seen k4", b"\\Seen k4")
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("INBOX", Kind.FLAGS, 1, True)], Grade.GOOD)
    assert verdict.differences[0].explained == LEFT_OFF
    flags(new, b"\\Seen", b"\\Seen", b"\\Seen k4")
    assert told(judge()) == [("INBOX", Kind.FLAGS, 1, False), ("INBOX", Kind.FLAGS, 1, True)]
    flags(new, b"", b"\\Seen k4", b"\\Seen k4")
    assert told(judge()) == [("INBOX", Kind.FLAGS, 1, False)]


def test_words_of_the_copier_count_in_a_folder_of_two_sources_as_well(
    flagged: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    number = ledger.open_folder(ANN, FolderState(0, b"INBOX", 7, b"INBOX", 7)).number
    ledger.record(number, [Record(uid, Fate.COPIED, 100 + uid, "\\Seen", LEFT_OFF) for uid in (1, 2, 3)])
    flags(new, b"\\Seen", b"\\Seen", b"\\Seen")
    new.boxes[b"INBOX"].messages += new.boxes.pop(b"Work").messages
    both = Rules(FolderRules({"Work": "INBOX"}))
    assert told(judge(both)) == [("INBOX and others", Kind.FLAGS, 3, True)]


def test_a_folder_that_keeps_no_flags_is_known_by_its_words_and_what_it_shows(
    flagged: Server, new: Server, judge: Judge
) -> None:
    flags(new, b"", b"", b"")
    assert told(judge()) == [("INBOX", Kind.FLAGS, 3, False)]
    new.boxes[b"INBOX"].permanent = b""
    verdict = judge()
    assert told(verdict) == [("INBOX", Kind.FLAGS, 3, True)]
    assert verdict.differences[0].explained == "the target folder keeps no flags"
    flags(new, b"", b"\\Seen", b"\\Seen k4")
    assert told(judge()) == [("INBOX", Kind.FLAGS, 2, False)]


def test_a_folder_that_takes_no_new_keywords_is_asked_when_some_are_not_there(
    flagged: Server, new: Server, judge: Judge
) -> None:
    """EXAMINE tells nothing of what a folder keeps, for it is opened for reading."""
    flags(new, b"\\Seen", b"\\Seen", b"\\Seen")
    assert told(judge()) == [("INBOX", Kind.FLAGS, 3, False)]
    new.boxes[b"INBOX"].permanent = b"\\Seen \\Flagged"
    assert told(judge()) == [("INBOX", Kind.FLAGS, 3, True)]
    new.boxes[b"INBOX"].permanent = b"\\Seen \\Flagged k4"
    assert told(judge()) == [("INBOX", Kind.FLAGS, 3, False)]
    assert not any(said.startswith(b"SELECT") for said in flagged.said)


@pytest.mark.parametrize("side", ["old", "new"])
def test_flags_that_a_server_does_not_tell_are_never_equal(old: Server, new: Server, judge: Judge, side: str) -> None:
    server = old if side == "old" else new
    server.row = lambda *what: row(*what).replace(b"FLAGS ()", b"FLAGS NIL")
    verdict = judge()
    is_source = side == "old"
    assert told(verdict) == [("INBOX", Kind.FLAGS, 3, is_source), ("Work", Kind.FLAGS, 2, is_source)]
    assert verdict.grade is (Grade.GOOD if is_source else Grade.INVESTIGATE)
