"""One message that a server cannot give or take: it is refused in the server's words, and all others are copied."""

from collections.abc import Callable

import pytest

from reconciler.mailcopy.job import State
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, Mail, mails, message
from tests.fakes.imap_noise import DeliveryMeanwhile, Vanishes
from tests.fakes.imap_odd_targets import Drops, RefusesLiteral, SaysAppendUid, WrongAppendUid
from tests.fakes.imap_oddities import (
    EXCHANGE_BYE,
    ClosesAfterErrors,
    HangsUp,
    ReadingKills,
    ReadingRefused,
    Refuses,
    When,
    listing_refused,
)
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import ORDINARY, ImapServer
from tests.support.mail_move import MailMove, balanced, moving, refused, told

MULTI = f"{ORDINARY} MULTIAPPEND"
SLOW = "IMAP4rev1 AUTH=PLAIN"
TWENTY = {"INBOX": [f"hello {n}" for n in range(1, 21)], "Work": [f"hello {n}" for n in range(100, 103)]}


def twenty(*oddities: Oddity) -> ImapServer:
    """Twenty messages in INBOX and three in Work."""
    return ImapServer({b"INBOX": Folder(mails(20)), b"Work": Folder(mails(3, 100))}, *oddities)


def without(*uids: int) -> dict[str, list[str]]:
    """What stands on the target when these of INBOX could not come."""
    return {
        folder: sorted(text for text in found if folder != "INBOX" or int(text.split()[1]) not in uids)
        for folder, found in TWENTY.items()
    }


def assert_only_refused(move: MailMove, uids: set[int], words: str) -> None:
    """One pass: these of INBOX are refused in the words, all others stand there, and the judge knows why."""
    report = move.copy()
    said = refused(report)
    assert report.state is State.DONE, report
    assert move.standing() == without(*uids), said
    assert said.keys() == {("INBOX", uid) for uid in uids}
    assert all(words in each for each in said.values()), said
    assert balanced(report)
    assert (report.tally.copied, report.tally.refused) == (23 - len(uids), len(uids))
    assert move.verify().grade is Grade.GOOD
    again = move.copy()
    assert (again.state, again.tally.new, balanced(again)) == (State.DONE, 0, True)
    assert move.standing() == without(*uids)


@pytest.mark.parametrize("target", [ORDINARY, MULTI, SLOW])
@pytest.mark.parametrize("bye", [b"", EXCHANGE_BYE])
@pytest.mark.parametrize("uid", [7, 1, 20])
def test_a_message_at_which_the_source_hangs_up_is_refused_and_all_others_come(
    uid: int, bye: bytes, target: str
) -> None:
    with moving(twenty(ReadingKills(uid, bye=bye)), ImapServer(capabilities=target)) as move:
        assert_only_refused(move, {uid}, "Connection closed. 14" if bye else "")


@pytest.mark.parametrize("uids", [(7, 8), (3, 17), (1, 2, 3), (5, 11, 19)])
def test_several_messages_at_which_the_source_hangs_up_are_found_one_by_one(uids: tuple[int, ...]) -> None:
    with moving(twenty(*(ReadingKills(uid, bye=EXCHANGE_BYE) for uid in uids)), ImapServer()) as move:
        assert_only_refused(move, set(uids), "Connection closed. 14")


def test_a_source_that_crashes_at_a_message_gives_all_others() -> None:
    with moving(twenty(ReadingKills(7, abrupt=True)), ImapServer()) as move:
        assert_only_refused(move, {7}, "")


def test_a_message_at_whose_listing_the_source_hangs_up_is_told_and_all_others_come() -> None:
    class ListingKills(ReadingKills):
        def tell(self, at, command, reply) -> None:
            if command.wants(b"RFC822.SIZE") and any(row.uid == 7 for row in reply.rows) and at.selected == b"INBOX":
                reply.lines, reply.ends = [EXCHANGE_BYE], True

    with moving(twenty(ListingKills(7)), ImapServer()) as move:
        report = move.copy()
        assert move.standing() == without(7), report
        assert ("INBOX", 7) in refused(report)
        assert balanced(report)
        assert move.verify().grade is not Grade.PERFECT


@pytest.mark.parametrize("uids", [{1}, {7}, {1, 2}, {6, 7, 19, 20}])
def test_big_messages_that_are_refused_in_words_of_a_pause_take_no_room_from_others(uids: set[int]) -> None:
    old = twenty(ReadingRefused(frozenset(uids), b"NO [LIMIT] Too much for this message"))
    for mail in old.folders[b"INBOX"].mails:
        mail.size = 10**7
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert (report.state, move.standing()) == (State.DONE, without(*uids))
        assert refused(report).keys() == {("INBOX", uid) for uid in uids}


APPEND_WORDS = [
    "BAD Command Argument Error. 11",
    "BAD Invalid Arguments: Unable to parse message",
    "BAD [CLIENTBUG] Invalid command syntax",
    "NO Message contains bare newlines",
    "NO [TOOBIG] Message too large",
]
PAUSING = [
    "NO [LIMIT] Too much for this message",
    "NO [UNAVAILABLE] Backend cannot take this message",
    "NO [SERVERBUG] Internal error occurred",
    "NO too many MIME parts",
    "NO [CANNOT] Message violates the policy of this server",
    "NO [NOPERM] Attachment not allowed",
]


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI, SLOW])
@pytest.mark.parametrize("words", APPEND_WORDS + PAUSING)
def test_a_message_that_the_target_will_not_have_is_refused_in_its_words(words: str, capabilities: str) -> None:
    odd = Refuses(When("APPEND", holding=b"mail 7\r\n"), words.encode())
    with moving(twenty(), ImapServer({}, odd, capabilities=capabilities)) as move:
        assert_only_refused(move, {7}, words.split(None, 1)[1])


@pytest.mark.parametrize("words", APPEND_WORDS)
def test_several_messages_that_the_target_will_not_have_are_refused_and_no_other(words: str) -> None:
    odd = [Refuses(When("APPEND", holding=b"mail %d\r\n" % n), words.encode()) for n in (1, 2, 11, 20)]
    with moving(twenty(), ImapServer({}, *odd, capabilities=MULTI)) as move:
        assert_only_refused(move, {1, 2, 11, 20}, words.split(None, 1)[1])


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI, SLOW])
@pytest.mark.parametrize("abrupt", [False, True])
def test_a_message_at_which_the_target_hangs_up_is_refused_and_all_others_come_once(
    capabilities: str, abrupt: bool
) -> None:
    odd = HangsUp(When("APPEND", holding=b"mail 7\r\n"), abrupt=abrupt)
    with moving(twenty(), ImapServer({}, odd, capabilities=capabilities)) as move:
        assert_only_refused(move, {7}, "")


def test_a_target_that_says_bye_at_two_messages_is_quoted() -> None:
    odd = [HangsUp(When("APPEND", holding=b"mail %d\r\n" % n), bye=b"* BYE cannot parse this\r\n") for n in (7, 8)]
    with moving(twenty(), ImapServer({}, *odd, capabilities=MULTI)) as move:
        assert_only_refused(move, {7, 8}, "cannot parse this")


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI, SLOW])
def test_a_size_that_is_refused_before_it_is_sent_stops_no_other(capabilities: str) -> None:
    old = twenty()
    old.folders[b"INBOX"].of(7).body += b"x" * 9000
    with moving(old, ImapServer({}, RefusesLiteral(5000), capabilities=capabilities)) as move:
        assert_only_refused(move, {7}, "Message too large")


@pytest.mark.parametrize(
    "words",
    [
        b"NO The requested item could not be found.",
        b"NO Server Unavailable. 15",
        b"BAD Internal error",
        b"NO [LIMIT] Item too large",
        b"NO [SERVERBUG] Internal error occurred",
    ],
)
@pytest.mark.parametrize("uids", [(7,), (1, 20)])
def test_a_listing_that_ends_with_no_because_of_a_message_is_kept_and_the_message_told(
    uids: tuple[int, ...], words: bytes
) -> None:
    with moving(twenty(listing_refused(*uids, words=words)), ImapServer()) as move:
        report = move.copy()
        assert move.standing() == without(*uids), report
        assert refused(report).keys() == {("INBOX", uid) for uid in uids}
        assert all(words.split(b" ", 1)[1].decode() in said for said in refused(report).values())
        assert balanced(report)
        assert report.tally.copied == 23 - len(uids)
        assert move.verify().grade is not Grade.PERFECT


@pytest.mark.parametrize("words", [*PAUSING, "NO Message not convertible", "BAD Internal error", "NO System Error"])
def test_a_message_whose_text_the_source_refuses_is_told_and_all_others_come(words: str) -> None:
    with moving(twenty(ReadingRefused(frozenset({7}), words.encode())), ImapServer()) as move:
        assert_only_refused(move, {7}, words.split(None, 1)[1])


def test_words_of_a_pause_that_are_said_to_everything_are_no_refusal() -> None:
    odd = Refuses(When("APPEND"), b"NO [UNAVAILABLE] Try again later")
    with moving(twenty(), ImapServer({}, odd)) as move:
        report = move.copy()
        assert report.state is State.FAILED
        assert move.naps
        assert report.tally.refused == 0
        assert balanced(report)
        move.new.oddities = ()
        assert move.copy().state is State.DONE
        assert move.standing() == without()


def test_a_server_that_closes_after_ten_errors_gives_all_that_it_can() -> None:
    no = b"NO The requested message could not be converted to an RFC-822 compatible format."
    bad = frozenset(n for n in range(1, 61) if n % 5 < 2)
    old = ImapServer(
        {b"INBOX": Folder(mails(60)), b"Work": Folder(mails(3, 102))}, ReadingRefused(bad, no), ClosesAfterErrors(10)
    )
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 36 + 3, 24), report
        assert refused(report).keys() == {("INBOX", uid) for uid in bad}
        assert all("could not be converted" in words for words in refused(report).values())
        assert len(move.standing()["INBOX"]) == 36
        assert balanced(report)
        assert move.verify().grade is Grade.GOOD


def test_a_target_that_closes_after_errors_takes_all_that_it_can() -> None:
    odd = Refuses(When("APPEND", holding=b"VIRUS"), b"NO Virus found"), ClosesAfterErrors(3)
    old = ImapServer({b"INBOX": Folder([*mails(12, text="VIRUS"), *mails(12, 20)])})
    with moving(old, ImapServer({}, *odd)) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 12, 12), report
        assert all("Virus found" in words or "closed" in words for words in refused(report).values())


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
@pytest.mark.parametrize("behind", [True, False])
def test_sixty_refused_messages_do_not_keep_five_good_ones_from_coming(behind: bool, capabilities: str) -> None:
    junk = [Mail(n, message(n, "VIRUS")) for n in range(1, 61)] + mails(5, 61)
    if not behind:
        junk = [*mails(5, 1), *(Mail(n, message(n, "VIRUS")) for n in range(6, 66))]
    old = ImapServer({b"INBOX": Folder(mails(2)), b"Junk": Folder(junk)})
    odd = Refuses(When("APPEND", holding=b"VIRUS"), b"NO Virus found")
    with moving(old, ImapServer({}, odd, capabilities=capabilities)) as move:
        report = move.copy()
        assert {name: len(found) for name, found in move.standing().items()} == {"INBOX": 2, "Junk": 5}, report
        assert balanced(report)
        for _ in range(3):
            report = move.copy()
            assert balanced(report)
        assert {name: len(found) for name, found in move.standing().items()} == {"INBOX": 2, "Junk": 5}
        assert report.tally.refused + report.tally.waiting == 60
        assert "Virus found" in " ".join(refused(report).values())


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI, SLOW])
def test_a_message_that_the_target_takes_and_drops_is_told(capabilities: str) -> None:
    old = ImapServer({b"INBOX": Folder(mails(4))})
    with moving(old, ImapServer({}, Drops(b"mail 2\r\n"), capabilities=capabilities)) as move:
        report = move.copy()
        verdict = move.verify()
        assert move.standing() == {"INBOX": ["hello 1", "hello 3", "hello 4"]}
        assert balanced(report)
        assert ("INBOX", 2) in refused(report) or verdict.grade is Grade.POOR, (report, verdict)
        assert (report.state, verdict.grade) != (State.DONE, Grade.PERFECT)


@pytest.mark.parametrize(
    "odd",
    [
        lambda: WrongAppendUid(1),
        lambda: WrongAppendUid(always=1),
        lambda: WrongAppendUid(-1),
        lambda: WrongAppendUid(700),
        lambda: SaysAppendUid(b"11 1:4294967295"),
        lambda: SaysAppendUid(b"11 4294967295:1"),
        lambda: SaysAppendUid(b"11 " + b"9" * 900),
        lambda: SaysAppendUid(b"9" * 5000 + b" 1"),
    ],
)
@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
def test_flags_go_to_the_right_message_whatever_uid_the_target_told(
    capabilities: str, odd: Callable[[], Oddity]
) -> None:
    old = ImapServer({b"INBOX": Folder(mails(4))})
    with moving(
        old, ImapServer({b"INBOX": Folder(mails(2, 50, "stood there"))}, odd(), capabilities=capabilities)
    ) as move:
        first = move.copy()
        assert (first.state, balanced(first)) == (State.DONE, True), first
        old.folders[b"INBOX"].flag(1, r"\Flagged")
        report = move.copy()
        flags = {mail.plain_text: mail.flags for mail in move.new.folders[b"INBOX"].mails}
        wrong = {text: flag for text, flag in flags.items() if flag and text != "hello 1"}
        assert not wrong
        assert flags["hello 1"] == r"\Flagged", (report, told(report))
        assert (len(flags), balanced(report)) == (6, True)


def test_what_is_delivered_while_a_folder_is_read_comes_in_the_next_pass_at_the_latest() -> None:
    old = twenty(DeliveryMeanwhile(Mail(21, message(21))))
    with moving(old, ImapServer()) as move:
        first = move.copy()
        assert (first.state, balanced(first)) == (State.DONE, True), first
        second = move.copy()
        assert (second.state, balanced(second)) == (State.DONE, True), second
        assert sorted(move.standing()["INBOX"]) == sorted([*TWENTY["INBOX"], "hello 21"])
        assert move.verify().grade is Grade.PERFECT


def test_what_is_deleted_while_a_folder_is_read_is_counted_as_gone() -> None:
    with moving(twenty(Vanishes(7)), ImapServer()) as move:
        report = move.copy()
        assert report.state is State.DONE, report
        assert balanced(report)
        assert move.standing() in (without(7), without())
        assert not refused(report)
