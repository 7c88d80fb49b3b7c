"""Folders that a server lists or counts oddly, and what it announces and does not do: all of them are looked at."""

from collections.abc import Callable

import pytest

from reconciler.errors import MailError
from reconciler.mailcopy.job import State
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_odd_lists import (
    ListsByLevel,
    ListStops,
    StatusSays,
    StatusSilent,
    StatusSpelled,
    StatusWithout,
    changedsince_refused,
    highestmodseq_refused,
    lsub_refused,
    namespace_refused,
    return_refused,
)
from tests.fakes.imap_oddities import (
    OneAtATime,
    Refuses,
    WantsId,
    When,
)
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import EVERYTHING, ORDINARY, ImapServer
from tests.mailcopy.imap.three_folders import ALL, WELL, assert_all_copied_and_followed, old_with
from tests.support.mail_move import balanced, moving, refused, told


@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_a_list_that_ends_with_no_is_never_done_and_what_it_showed_is_copied(rows: int, capabilities: str) -> None:
    with moving(old_with(ListStops(rows), capabilities=capabilities), ImapServer()) as move:
        report = move.copy()
        assert report.state not in {State.DONE, State.FAILED}, report
        assert "LIST failed" in " ".join([*refused(report).values(), report.words])
        shown = list(ALL)[: max(1, rows)]
        assert {folder: move.standing().get(folder) for folder in shown} == {folder: ALL[folder] for folder in shown}
        assert balanced(report)
        if rows:
            assert move.verify().grade not in WELL
        else:
            with pytest.raises(MailError):  # no verdict on what shows nothing
                move.verify()


@pytest.mark.parametrize("rows", [0, 2])
def test_a_server_that_lists_level_by_level_shows_all_folders(rows: int) -> None:
    old = old_with(ListsByLevel(rows=rows))
    old.folders[b"Work/2024/May"] = Folder(mails(1, 30))
    old.folders[b"Work/2024"] = Folder(attributes="\\Noselect")
    with moving(old, ImapServer()) as move:
        report = move.copy()
        assert (report.state, move.standing()) == (State.DONE, ALL | {"Work/2024/May": ["hello 30"]}), report
        assert move.verify().grade in WELL


@pytest.mark.parametrize("words", [b"NO LSUB failed", b"BAD Unknown command"])
def test_subscriptions_that_are_not_told_leave_no_mail_behind(words: bytes) -> None:
    with moving(old_with(lsub_refused(words)), ImapServer()) as move:
        report = move.copy()
        assert (report.state, refused(report), move.standing()) == (State.DONE, {}, ALL), report
        assert told(report)
        assert move.verify().grade in WELL


STATUS: dict[str, Callable[[], Oddity]] = {
    "no UIDNEXT": lambda: StatusWithout((b"UIDNEXT",)),
    "no UIDNEXT in one folder": lambda: StatusWithout((b"UIDNEXT",), b"Work"),
    "no UIDNEXT in STATUS alone": lambda: StatusWithout((b"UIDNEXT",), opening_too=False),
    "no MESSAGES": lambda: StatusWithout((b"MESSAGES",)),
    "no UIDVALIDITY": lambda: StatusWithout((b"UIDVALIDITY",)),
    "neither UIDVALIDITY nor UIDNEXT": lambda: StatusWithout((b"UIDVALIDITY", b"UIDNEXT")),
    "an empty list": StatusWithout,
    "an empty list for one": lambda: StatusWithout((), b"Archive"),
    "nothing": StatusSilent,
    "another case": StatusSpelled,
    "no quotes": lambda: StatusSpelled(bytes, quotes=False),
    "below INBOX": lambda: StatusSpelled(lambda name: b"INBOX." + name),
    "another folder's name": lambda: StatusSpelled(lambda _: b"Work"),
    "NIL messages": lambda: StatusSays(b"MESSAGES", b"NIL"),
    "UIDNEXT 0": lambda: StatusSays(b"UIDNEXT", b"0"),
    "UIDNEXT far ahead": lambda: StatusSays(b"UIDNEXT", b"100000"),
    "a negative UIDVALIDITY": lambda: StatusSays(b"UIDVALIDITY", b"-1"),
    "BAD": lambda: Refuses(When("STATUS"), b"BAD Unknown command"),
    "NO": lambda: Refuses(When("STATUS"), b"NO STATUS failed"),
}


@pytest.mark.parametrize("how", list(STATUS))
def test_a_status_that_tells_little_hides_nothing(how: str) -> None:
    with moving(old_with(STATUS[how]()), ImapServer()) as move:
        assert_all_copied_and_followed(move)


@pytest.mark.parametrize("how", list(STATUS))
def test_a_target_whose_status_tells_little_takes_everything(how: str) -> None:
    new = ImapServer({b"Work": Folder(mails(1, 70, "there already"))}, STATUS[how]())
    with moving(old_with(), new) as move:
        report = move.copy()
        assert (report.state, refused(report)) == (State.DONE, {}), report
        assert move.standing() == ALL | {"Work": ["hello 10", "hello 11", "there already 70"]}
        assert move.copy().tally.new == 0


@pytest.mark.parametrize(
    ("capabilities", "odd"),
    [
        ("CONDSTORE", highestmodseq_refused),
        ("CONDSTORE", lambda: highestmodseq_refused(b"NO not now")),
        ("CONDSTORE", changedsince_refused),
        ("CONDSTORE", lambda: changedsince_refused(b"NO not implemented")),
        ("LIST-EXTENDED LIST-STATUS", return_refused),
        ("LIST-EXTENDED LIST-STATUS", lambda: return_refused(b"NO not implemented")),
        ("", namespace_refused),
        ("", lambda: namespace_refused(b"NO not supported")),
        ("", lsub_refused),
        ("ID", lambda: Refuses(When("ID"), b"BAD Unknown command")),
        ("CONDSTORE LIST-EXTENDED LIST-STATUS", highestmodseq_refused),
    ],
)
@pytest.mark.parametrize("side", ["old", "new"])
def test_what_is_announced_and_not_done_is_asked_for_in_plainer_words(
    side: str, capabilities: str, odd: Callable[[], Oddity]
) -> None:
    ordinary, less = f"{ORDINARY} MULTIAPPEND", f"{ORDINARY} {capabilities}"
    old = old_with(odd(), capabilities=less) if side == "old" else old_with()
    new = ImapServer({}, odd(), capabilities=less) if side == "new" else ImapServer(capabilities=ordinary)
    with moving(old, new) as move:
        assert_all_copied_and_followed(move)


def test_everything_that_is_announced_and_not_done_at_once_is_asked_for_in_plainer_words() -> None:
    odd = highestmodseq_refused(), changedsince_refused(), return_refused(), namespace_refused(), lsub_refused()
    with moving(old_with(*odd, capabilities=EVERYTHING), ImapServer({}, *odd, capabilities=EVERYTHING)) as move:
        assert_all_copied_and_followed(move)


@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
@pytest.mark.parametrize("loses", [False, True])
@pytest.mark.parametrize("verbs", [("UID FETCH",), ("UID FETCH", "UID STORE", "STATUS", "LSUB", "LIST")])
def test_a_source_that_does_one_command_at_a_time_gets_one_at_a_time(
    verbs: tuple[str, ...], loses: bool, capabilities: str
) -> None:
    old = old_with(OneAtATime(loses=loses, verbs=verbs), capabilities=capabilities)
    with moving(old, ImapServer(), timeout=0.5) as move:
        report = move.copy()
        assert (report.state, refused(report), move.standing()) == (State.DONE, {}, ALL), report
        assert balanced(report)
        if not loses:
            assert move.verify().grade in WELL


@pytest.mark.parametrize("verbs", [("STATUS",), ("STATUS", "SELECT", "SUBSCRIBE", "LIST", "LSUB")])
def test_a_target_that_does_one_command_at_a_time_gets_one_at_a_time(verbs: tuple[str, ...]) -> None:
    with moving(old_with(), ImapServer({}, OneAtATime(verbs=verbs)), timeout=0.5) as move:
        report = move.copy()
        assert (report.state, refused(report), move.standing()) == (State.DONE, {}, ALL), report


@pytest.mark.parametrize("verbs", [("SELECT", "EXAMINE"), ("SELECT", "EXAMINE", "STATUS"), ("LIST", "LSUB")])
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_server_that_wants_to_know_who_asks_is_told(side: str, verbs: tuple[str, ...]) -> None:
    capabilities = f"{ORDINARY} ID"
    old = old_with(*([WantsId(verbs)] if side == "old" else []), capabilities=capabilities)
    new = ImapServer({}, *([WantsId(verbs)] if side == "new" else []), capabilities=capabilities)
    with moving(old, new) as move:
        report = move.copy()
        assert (report.state, refused(report), move.standing()) == (State.DONE, {}, ALL), report
        assert move.verify().grade is Grade.PERFECT
