"""Rows that are odd: a message is a row with a UID, and its text is what stands behind BODY[]."""

from collections.abc import Callable

import pytest

from reconciler.mailcopy.job import Rules, State
from reconciler.mailcopy.model.internal_date import seconds
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, Mail, mails, message
from tests.fakes.imap_noise import Chatter, CountsAgain, LowerCase, NamesAsLiterals, RowsOfOthers
from tests.fakes.imap_odd_rows import (
    Descending,
    ItemsInOrder,
    MoreItems,
    RowSays,
    RowsTwice,
    ShortTextsQuoted,
    SpaceBeforeEnd,
    SplitRows,
    Unstable,
)
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import EVERYTHING, ORDINARY, ImapServer
from tests.support.mail_move import MailMove, balanced, moving, refused, told

UNSTABLE = "unstable"


def some() -> dict[bytes, Folder]:
    """Three messages in INBOX, with flags, and two in Work."""
    inbox = Folder(mails(3, size=400))
    inbox.flag(2, r"\Seen $Forwarded")
    return {b"INBOX": inbox, b"Work": Folder(mails(2, 10), subscribed=True)}


def bodies(server: ImapServer) -> dict[bytes, list[bytes]]:
    return {name: sorted(mail.body for mail in folder.mails) for name, folder in server.folders.items()}


def assert_all_copied(move: MailMove, grades: tuple[Grade, ...] = (Grade.PERFECT,)) -> None:
    """Two passes: everything stands there octet by octet, nothing comes twice, and the judge says so."""
    report = move.copy()
    assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
    assert balanced(report)
    assert bodies(move.new) == bodies(move.old)
    verdict = move.verify()
    assert verdict.grade in grades, verdict
    again = move.copy()
    assert (again.state, again.tally.new, balanced(again)) == (State.DONE, 0, True), again
    assert bodies(move.new) == bodies(move.old)


@pytest.mark.parametrize("value", [b"NIL", None, b'""', b'"never"', b'"31-Feb-2024 10:00:00 +0000"'])
@pytest.mark.parametrize("uid", [2, None])
def test_a_message_without_a_date_of_arrival_is_copied_and_that_is_told(uid: int | None, value: bytes | None) -> None:
    with moving(ImapServer(some(), RowSays(b"INTERNALDATE", value, uid)), ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
        assert bodies(move.new) == bodies(move.old)
        assert balanced(report)
        assert told(report)
        assert move.verify().grade is Grade.GOOD
        assert move.copy().tally.new == 0


@pytest.mark.parametrize(
    "odd",
    [
        lambda: RowSays(b"RFC822.SIZE", b"NIL", 2),
        lambda: RowSays(b"RFC822.SIZE", b"-1", 2),
        lambda: RowSays(b"RFC822.SIZE", None, 2),
        lambda: RowSays(b"RFC822.SIZE", b"99999999999999999999999", 2),
        SpaceBeforeEnd,
    ],
)
def test_a_row_without_a_size_that_can_be_is_a_message_all_the_same(odd: Callable[[], Oddity]) -> None:
    with moving(ImapServer(some(), odd()), ImapServer()) as move:
        assert_all_copied(move, (Grade.PERFECT, Grade.GOOD))


@pytest.mark.parametrize("value", [None, b"NIL", b"()"])
def test_a_row_without_flags_is_a_message_all_the_same(value: bytes | None) -> None:
    with moving(ImapServer(some(), RowSays(b"FLAGS", value, 2)), ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
        assert bodies(move.new) == bodies(move.old)


def test_a_row_that_tells_nothing_but_its_uid_is_a_message_all_the_same() -> None:
    nothing = [RowSays(item, None) for item in (b"INTERNALDATE", b"RFC822.SIZE", b"FLAGS")]
    with moving(ImapServer(some(), *nothing), ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
        assert bodies(move.new) == bodies(move.old)
        assert move.copy().tally.new == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "5-Mar-2024 10:00:02 +0000",
        "05-Mar-2024 10:00:02",
        "05-mar-2024 11:00:02 +0100",
        "Tue, 5 Mar 2024 10:00:02 +0000",
        "Tue, 05 Mar 2024 10:00:02 +0000",
        "5 Mar 2024 10:00:02 +0000",
        "Tue, 5 Mar 2024 10.00.02 +0000",
        "Tue, 5 Mar 24 10:00:02 +0000",
        "Tue, 5 Mar 2024  10:0:2 +0000",
        "Tue Mar  5 10:00:02 2024",
    ],
)
def test_a_date_in_another_spelling_is_understood(spelling: str) -> None:
    with moving(ImapServer(some(), RowSays(b"INTERNALDATE", b'"%s"' % spelling.encode(), 2)), ImapServer()) as move:
        report = move.copy()
        assert (report.state, refused(report)) == (State.DONE, {})
        date = next(mail.date for mail in move.new.folders[b"INBOX"].mails if mail.plain_text == "hello 2")
        assert seconds(date) == seconds("05-Mar-2024 10:00:02 +0000")
        assert move.verify().grade in {Grade.PERFECT, Grade.GOOD}


@pytest.mark.parametrize("sizes", [(0, 3, 10**7), (0, 0, 0), (4, 4, 4)])
@pytest.mark.parametrize("side", ["old", "new", "both"])
def test_sizes_that_are_wrong_hide_no_message_and_bring_none_twice(side: str, sizes: tuple[int, ...]) -> None:
    with moving(ImapServer(some()), ImapServer()) as move:
        if side != "new":
            for mail, size in zip(move.old.folders[b"INBOX"].mails, sizes, strict=True):
                mail.size = size
        if side != "old":
            move.new.oddities = (RowSays(b"RFC822.SIZE", b"%d" % sizes[1]),)
        assert_all_copied(move, (Grade.PERFECT, Grade.GOOD))
        move.lose_the_ledger()
        report = move.copy()
        assert (report.state, report.tally.sent, balanced(report)) == (State.DONE, 0, True), report
        assert bodies(move.new) == bodies(move.old)
        assert move.verify().grade in {Grade.PERFECT, Grade.GOOD}


def changing(number: int, *, known: bool = True) -> bytes:
    """A message whose boundary is another at each reading."""
    return (
        (b"Message-ID: <m%d@x>\r\n" % number if known else b"")
        + b"Subject: s\r\nContent-Type: multipart/mixed; boundary=BOUNDARY\r\n\r\n"
        + b"--BOUNDARY\r\n\r\nhi %d\r\n--BOUNDARY--\r\n" % number
    )


@pytest.mark.parametrize("known", [True, False])
def test_a_source_that_shows_another_text_at_each_reading_is_told_as_that_and_can_be_approved(known: bool) -> None:
    old = ImapServer({b"INBOX": Folder([Mail(n, changing(n, known=known)) for n in range(1, 6)])}, Unstable())
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied) == (State.DONE, 5)
        verdict = move.verify()
        kinds = {str(difference.kind) for difference in verdict.differences}
        assert (verdict.grade, kinds) == (Grade.INVESTIGATE, {UNSTABLE}), verdict
        approved = move.verify(Rules(unstable_approved=True))
        assert approved.grade is Grade.GOOD, approved
        if known:
            move.lose_the_ledger()
            again = move.copy()
            assert (again.state, again.tally.sent) == (State.DONE, 0)
            assert len(move.new.folders[b"INBOX"].mails) == 5


def test_an_approval_of_unstable_texts_hides_no_message_that_is_missing() -> None:
    old = ImapServer({b"INBOX": Folder([Mail(n, changing(n)) for n in range(1, 6)])}, Unstable())
    with moving(old, ImapServer()) as move:
        move.copy()
        del move.new.folders[b"INBOX"].mails[2]
        assert move.verify(Rules(unstable_approved=True)).grade is Grade.POOR


MORE: dict[str, Callable[[], Oddity]] = {
    how: lambda how=how: MoreItems(how)  # type: ignore[misc]
    for how in ("header", "envelope", "structure", "text first", "words", "nested")
}
ORDER: dict[str, Callable[[], Oddity]] = {
    "uid after the text": lambda: ItemsInOrder(last=(b"UID",)),
    "any order": lambda: ItemsInOrder(seed=3),
    "another order": lambda: ItemsInOrder(seed=7, last=(b"UID", b"FLAGS")),
    "flags apart": lambda: SplitRows(b"FLAGS"),
    "sizes apart, later": lambda: SplitRows(b"RFC822.SIZE", apart=True),
    "dates apart": lambda: SplitRows(b"INTERNALDATE"),
    "from the last": Descending,
    "in no order": lambda: Descending(seed=1),
    "one row twice": lambda: RowsTwice(2),
    "all rows twice": RowsTwice,
    "short texts quoted": ShortTextsQuoted,
}
NOISE: dict[str, Callable[[], Oddity]] = {
    "chatter": Chatter,
    "rows of others": RowsOfOthers,
    "rows of others without UID": lambda: RowsOfOthers(with_uid=False),
    "counts again": CountsAgain,
    "lower case": LowerCase,
    "names as literals": NamesAsLiterals,
}
EVERY = MORE | ORDER | NOISE


@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
@pytest.mark.parametrize("how", list(EVERY))
def test_what_a_row_holds_beside_and_what_is_said_between_is_no_message(how: str, capabilities: str) -> None:
    old = ImapServer(some(), EVERY[how](), capabilities=capabilities)
    with moving(old, ImapServer(capabilities=capabilities)) as move:
        assert_all_copied(move)
        old.folders[b"INBOX"].flag(3, r"\Flagged")
        old.folders[b"Work"].add(*mails(1, 50))
        report = move.copy()
        assert (report.state, report.tally.sent, balanced(report)) == (State.DONE, 1, True), report
        flags = {mail.plain_text: mail.flags for mail in move.new.folders[b"INBOX"].mails}
        assert flags == {"hello 1": "", "hello 2": r"$Forwarded \Seen", "hello 3": r"\Flagged"}
        assert move.verify().grade is Grade.PERFECT


@pytest.mark.parametrize("how", list(ORDER | NOISE))
def test_a_target_may_speak_as_oddly_as_a_source(how: str) -> None:
    new = ImapServer({b"INBOX": Folder(mails(2, 70, "there already"))}, EVERY[how](), capabilities=EVERYTHING)
    with moving(ImapServer(some()), new) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
        move.lose_the_ledger()
        again = move.copy()
        assert (again.state, again.tally.sent, again.tally.recognised) == (State.DONE, 0, 5), again
        assert len(move.standing()["INBOX"]) == 3 + 2
        verdict = move.verify()
        assert {str(difference.kind) for difference in verdict.differences} == {"extra"}, verdict


def test_many_oddities_at_once_are_as_good_as_none() -> None:
    odd = (
        MoreItems("envelope"),
        MoreItems("words"),
        SplitRows(b"FLAGS"),
        ItemsInOrder(seed=5, last=(b"UID",)),
        Descending(),
        SpaceBeforeEnd(),
        Chatter(),
        RowsOfOthers(),
        CountsAgain(),
        NamesAsLiterals(),
        LowerCase(),
    )
    with moving(ImapServer(some(), *odd), ImapServer({}, *odd)) as move:
        assert_all_copied(move)


def test_an_empty_text_that_is_quoted_is_a_text() -> None:
    old = ImapServer(
        {b"INBOX": Folder([Mail(1, b"x"), Mail(2, message(2)), Mail(3, b"no header")])}, ShortTextsQuoted()
    )
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert report.tally.copied == 3, report
        assert bodies(move.new) == bodies(move.old)
