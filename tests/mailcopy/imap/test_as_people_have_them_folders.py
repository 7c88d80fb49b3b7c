"""Folders that a server cannot name or open, or opens oddly: each is copied, or told, and stops no other."""

import pytest

from reconciler.mailcopy.job import State
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, Mail, mails, message
from tests.fakes.imap_odd_lists import (
    ListedTwice,
)
from tests.fakes.imap_oddities import (
    EmptyFetchBad,
    HangsUp,
    KeepsFolderOpen,
    NewUidvalidity,
    Refuses,
    When,
)
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import EVERYTHING, ORDINARY, ImapServer
from tests.mailcopy.imap.three_folders import ALL, WELL, assert_all_copied_and_followed, old_with, three
from tests.support.mail_move import MailMove, balanced, moving, refused

POISON = b"Archive "


def poisoned() -> dict[bytes, Folder]:
    return three() | {POISON: Folder(mails(2, 40), subscribed=True)}


def assert_poison_stops_nothing(move: MailMove, words: str) -> None:
    """All others are copied; the poison folder is too, or it is told, as a folder, and the mailbox is not done."""
    report = move.copy()
    standing = move.standing()
    brought = sorted(text for texts in standing.values() for text in texts if text in {"hello 40", "hello 41"})
    assert {name: standing.get(name) for name in ALL} == ALL, report
    assert balanced(report)
    if len(brought) == 2 or {folder for folder, uid in refused(report) if uid in {40, 41}} == {"Archive "}:
        assert report.state in {State.DONE, State.PARTLY}
    else:
        said = {folder: text for (folder, uid), text in refused(report).items() if not uid}
        assert report.state is State.PARTLY, report
        assert any(folder.startswith("Archive ") and words in text for folder, text in said.items()), said
        assert move.verify().grade not in WELL
    again = move.copy()
    assert balanced(again)
    assert {name: move.standing().get(name) for name in ALL} == ALL


@pytest.mark.parametrize("capabilities", [ORDINARY, f"{ORDINARY} CONDSTORE"])
@pytest.mark.parametrize("verb", ["STATUS", "EXAMINE", "UID FETCH"])
@pytest.mark.parametrize("how", ["bad", "no", "hang up", "bye", "reset"])
def test_a_folder_that_the_source_cannot_name_or_open_stops_no_other(how: str, verb: str, capabilities: str) -> None:
    old = ImapServer(poisoned(), *poison(how, verb, (POISON,)), capabilities=capabilities)
    with moving(old, ImapServer()) as move:
        assert_poison_stops_nothing(move, "Argument Error" if how in {"bad", "no", "bye"} else "")


def poison(how: str, verb: str, names: tuple[bytes, ...]) -> list[Oddity]:
    return [poison_at(how, When(verb, name=None if verb == "UID FETCH" else name)) for name in names]


def poison_at(how: str, when: When) -> Oddity:
    if when.verb == "UID FETCH":
        return InFolder(how, POISON)
    match how:
        case "bad":
            return Refuses(when, b"BAD Command Argument Error. 12")
        case "no":
            return Refuses(when, b"NO Command Argument Error. 12")
        case "bye":
            return HangsUp(when, bye=b"* BYE Command Argument Error. 12\r\n")
        case _:
            return HangsUp(when, abrupt=how == "reset")


class InFolder(Oddity):
    """The oddity of any FETCH while one folder is open."""

    def __init__(self, how: str, folder: bytes) -> None:
        self.how, self.folder = how, folder

    def hear(self, at, command):
        if command.verb != "UID FETCH" or at.selected != self.folder:
            return None
        return poison_at(self.how, When("any")).hear(at, type(command)(command.tag, "any", command.raw))


@pytest.mark.parametrize("verb", ["CREATE", "STATUS", "SELECT", "SUBSCRIBE", "APPEND"])
@pytest.mark.parametrize("how", ["bad", "no", "hang up", "bye"])
def test_a_folder_that_the_target_cannot_name_create_or_open_stops_no_other(how: str, verb: str) -> None:
    new = ImapServer({}, *poison(how, verb, (POISON, b"Archive_")))
    with moving(ImapServer(poisoned()), new) as move:
        assert_poison_stops_nothing(move, "Argument Error" if how in {"bad", "no", "bye"} else "")


@pytest.mark.parametrize("verb", ["STATUS", "EXAMINE"])
def test_several_folders_that_the_source_cannot_name_stop_no_other(verb: str) -> None:
    names = [b"Archive ", b"x\\y", b"Big ", b"%&-"]
    old = ImapServer(
        three() | {name: Folder(mails(1, 60 + n)) for n, name in enumerate(names)},
        *(HangsUp(When(verb, name=name), bye=b"* BYE no such name\r\n") for name in names),
    )
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert {name: move.standing().get(name) for name in ALL} == ALL, report
        assert balanced(report)
        if sum(map(len, move.standing().values())) < 6 + len(names):
            assert report.state is State.PARTLY
            assert move.verify().grade not in WELL


@pytest.mark.parametrize("after", [1, 2, 3])
def test_nothing_of_a_folder_that_stayed_open_is_copied_into_another(after: int) -> None:
    folders = {
        b"INBOX": Folder([Mail(n, message(n, "INBOX")) for n in (1, 2, 3)]),
        b"Work": Folder([Mail(n, message(10 + n, "WORK")) for n in (1, 2, 3)]),
    }
    locked = Refuses(When("EXAMINE", name=b"Work", after=after), b"NO mailbox is locked")
    with moving(ImapServer(folders, locked, KeepsFolderOpen()), ImapServer()) as move:
        report = move.copy()
        standing = move.standing()
        assert standing["INBOX"] == ["INBOX 1", "INBOX 2", "INBOX 3"]
        assert set(standing.get("Work", [])) <= {"WORK 11", "WORK 12", "WORK 13"}
        assert balanced(report)
        if len(standing.get("Work", [])) < 3:
            assert report.state is State.PARTLY, report
            assert "mailbox is locked" in " ".join(refused(report).values())
            assert not [uid for folder, uid in refused(report) if folder == "Work" and uid]


def test_nothing_of_a_target_folder_that_stayed_open_is_taken_for_another() -> None:
    new = ImapServer(
        {b"Work": Folder(mails(2, 70, "work of old")), b"INBOX": Folder(mails(3))},
        Refuses(When("EXAMINE", name=b"Work"), b"NO mailbox is locked"),
        Refuses(When("SELECT", name=b"Work"), b"NO mailbox is locked"),
        KeepsFolderOpen(),
    )
    old = ImapServer({b"INBOX": Folder(mails(3)), b"Work": Folder(mails(3))})
    with moving(old, new) as move:
        report = move.copy()
        assert move.standing()["INBOX"] == ["hello 1", "hello 2", "hello 3"]
        assert balanced(report)
        if "hello 1" not in move.standing()["Work"]:
            assert report.state is State.PARTLY, report


@pytest.mark.parametrize("words", [b"NO [INUSE] Mailbox is locked", b"NO Mailbox is being repaired", b"BAD no"])
@pytest.mark.parametrize("verb", ["EXAMINE", "STATUS"])
def test_a_folder_that_was_copied_and_cannot_be_opened_any_more_still_has_an_account_that_adds_up(
    verb: str, words: bytes
) -> None:
    with moving(old_with(), ImapServer()) as move:
        assert move.copy().state is State.DONE
        move.old.oddities = (Refuses(When(verb, name=b"Work"), words),)
        move.old.folders[b"Work"].add(*mails(1, 50))
        for _ in range(2):
            report = move.copy()
            assert balanced(report), report.accounts
            assert "add up" not in report.words
            if "hello 50" not in move.standing()["Work"]:
                assert report.state in {State.PARTLY, State.FAILED}, report
                assert words.split(b" ", 1)[1].decode() in " ".join([*refused(report).values(), report.words])
                assert report.state is State.PARTLY or b"INUSE" in words
        move.old.oddities = ()
        assert move.copy().state is State.DONE
        assert move.standing()["Work"] == ["hello 10", "hello 11", "hello 50"]


def test_uids_below_a_uidnext_that_runs_ahead_are_seen() -> None:
    old = ImapServer({b"INBOX": Folder(mails(3), uidnext=1000)})
    with moving(old, ImapServer()) as move:
        move.copy()
        for uid in (4, 5):
            old.folders[b"INBOX"].add(*mails(1, uid))
            report = move.copy()
            assert (report.state, balanced(report)) == (State.DONE, True), report
            assert move.standing() == {"INBOX": [f"hello {n}" for n in range(1, uid + 1)]}
        assert move.verify().grade in WELL


def test_big_uids_are_numbers_like_others() -> None:
    high = 2**32 - 5
    old = ImapServer({b"INBOX": Folder([Mail(high + n, message(n)) for n in range(4)], uidvalidity=4294967290)})
    new = ImapServer({b"INBOX": Folder(uidvalidity=2**32 - 1, uidnext=2**31 + 7)})
    with moving(old, new) as move:
        for _ in range(2):
            report = move.copy()
            assert (report.state, balanced(report)) == (State.DONE, True), report
            assert move.standing() == {"INBOX": [f"hello {n}" for n in range(4)]}
        assert move.verify().grade is Grade.PERFECT


@pytest.mark.parametrize("side", ["old", "new", "both"])
@pytest.mark.parametrize("odd", ["zero", "another at each login"])
def test_a_uidvalidity_that_says_nothing_loses_nothing_and_brings_nothing_twice(odd: str, side: str) -> None:
    same = b"Subject: no id\r\n\r\nsame\r\n"
    inbox = Folder([*mails(3), Mail(9, same), Mail(10, same)])
    with moving(ImapServer({b"INBOX": inbox}), ImapServer()) as move:
        for server, name in ((move.old, "old"), (move.new, "new")):
            if side in {name, "both"}:
                server.folders[b"INBOX"].uidvalidity = 0 if odd == "zero" else 5
                server.oddities = (NewUidvalidity(),) if odd != "zero" else ()
        for _ in range(3):
            report = move.copy()
            assert (report.state, balanced(report)) == (State.DONE, True), report
            assert move.standing() == {"INBOX": ["hello 1", "hello 2", "hello 3", "same", "same"]}
        assert move.verify().grade is Grade.PERFECT


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
def test_a_folder_that_is_listed_twice_is_selectable_if_one_row_says_so(capabilities: str, before: bool) -> None:
    with moving(old_with(ListedTwice(b"Work", before), capabilities=capabilities), ImapServer()) as move:
        assert_all_copied_and_followed(move)


@pytest.mark.parametrize("name", [b"R&D", "Größe".encode(), "Größe".encode("latin-1"), b"a&b-", b"&-&AGE-", b"&AOQ"])
def test_a_name_that_is_no_modified_utf7_is_a_folder_if_it_can_be_opened(name: bytes) -> None:
    with moving(
        ImapServer(three() | {name: Folder(mails(2, 30)), b"R&-D": Folder(mails(1, 60))}), ImapServer()
    ) as move:
        for _ in range(2):
            report = move.copy()
            assert (report.state, balanced(report)) == (State.DONE, True), report
            standing = sorted(move.standing().values())
            assert standing == sorted([*ALL.values(), ["hello 30", "hello 31"], ["hello 60"]])
        assert move.verify().grade in WELL


@pytest.mark.parametrize("side", ["old", "new"])
def test_an_empty_folder_in_which_fetch_is_bad_is_empty_and_no_trouble(side: str) -> None:
    old, new = old_with(), ImapServer({b"Empty": Folder()})
    old.folders[b"Empty"] = Folder()
    (old if side == "old" else new).oddities = (EmptyFetchBad(),)
    with moving(old, new) as move:
        assert_all_copied_and_followed(move)
