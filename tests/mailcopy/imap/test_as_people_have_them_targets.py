"""Targets that fold names, limit keywords, refuse characters; and folders whose names are nearly those of others."""

import pytest

from reconciler.mailcopy.job import State
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, Mail, mails, message
from tests.fakes.imap_odd_lists import WantsPrefix
from tests.fakes.imap_odd_targets import CreatesAndDoesNotOpen, FoldsCase, KeywordLimit, RefusesFlags, RefusesNames
from tests.fakes.imap_server import EVERYTHING, ORDINARY, ImapServer
from tests.support.mail_move import MailMove, balanced, moving, refused, told

WELL = (Grade.PERFECT, Grade.GOOD)
MULTI = f"{ORDINARY} MULTIAPPEND"


def assert_each_in_its_own(move: MailMove, *, passes: int = 3) -> dict[str, list[str]]:
    """Every folder of the source stands in a folder of its own, with what it holds, in each pass the same."""
    before = {name: found for name, found in move.standing().items() if found}
    own = sorted(sorted(folder.texts) for folder in move.old.folders.values() if folder.mails and folder.selectable)
    first: dict[str, list[str]] = {}
    for _ in range(passes):
        report = move.copy()
        assert (report.state, refused(report), balanced(report)) == (State.DONE, {}, True), report
        standing = move.standing()
        assert sorted(found for name, found in standing.items() if found != before.get(name)) == own, standing
        assert first in ({}, standing)
        first = standing
    assert move.verify().grade in WELL
    return first


def test_a_target_that_folds_case_gets_another_name_and_nothing_merges() -> None:
    old = ImapServer(
        {
            b"INBOX": Folder(mails(1)),
            b"Work": Folder(mails(2, 50)),
            b"work": Folder(mails(3, 70)),
            b"projects": Folder(mails(4, 80)),
        }
    )
    with moving(old, ImapServer({b"Projects": Folder()}, FoldsCase())) as move:
        standing = assert_each_in_its_own(move)
        assert standing["projects (2)"] == [f"hello {n}" for n in range(80, 84)]
        assert "Projects" not in standing


@pytest.mark.parametrize("held", [True, False])
def test_a_target_that_folds_case_keeps_what_it_holds_apart(held: bool) -> None:
    old = ImapServer(
        {
            b"INBOX": Folder(mails(1)),
            b"projects/a": Folder(mails(1, 20)),
            b"Projects": Folder(mails(2, 30)),
            b"PROJECTS": Folder(mails(2, 40)),
        }
    )
    new = {b"ProJects": Folder(mails(1, 90, "there already"))} if held else {}
    with moving(old, ImapServer(new, FoldsCase())) as move:
        standing = assert_each_in_its_own(move)
        assert not held or standing["ProJects"] == ["there already 90"]


def test_a_target_that_tells_case_apart_keeps_the_names() -> None:
    old = ImapServer({b"Work": Folder(mails(2, 50)), b"work": Folder(mails(3, 70))})
    with moving(old, ImapServer({b"WORK": Folder()})) as move:
        assert set(assert_each_in_its_own(move)) == {"Work", "work"}


LIMITS = [
    b"NO [LIMIT] Too many user flags in mailbox",
    b"NO Too many user flags in mailbox",
    b"NO keyword limit reached",
    b"NO [CANNOT] Too many keywords",
]


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
@pytest.mark.parametrize("words", LIMITS)
@pytest.mark.parametrize("taken", ["", "k90 k91 k92"])
def test_messages_come_without_the_keywords_that_do_not_fit(taken: str, words: bytes, capabilities: str) -> None:
    inbox = [Mail(n, message(n), rf"\Seen k{n}") for n in range(1, 7)]
    old = ImapServer({b"INBOX": Folder(inbox), b"Work": Folder(mails(3, 100))})
    held = [Mail(1, message(90, "there already"), taken)] if taken else []
    with moving(old, ImapServer({b"INBOX": Folder(held)}, KeywordLimit(3, words), capabilities=capabilities)) as move:
        report = move.copy()
        assert (report.state, refused(report), balanced(report)) == (State.DONE, {}, True), report
        came = [mail for mail in move.new.folders[b"INBOX"].mails if mail.plain_text.startswith("hello")]
        assert sorted(mail.plain_text for mail in came) == [f"hello {n}" for n in range(1, 7)]
        assert all(r"\Seen" in mail.flags.split() for mail in came)
        assert len(move.standing()["Work"]) == 3
        assert told(report)
        differences = [d for d in move.verify().differences if str(d.kind) != "extra"]
        assert differences
        assert all(difference.explained for difference in differences), differences
        again = move.copy()
        assert (again.state, again.tally.new, balanced(again)) == (State.DONE, 0, True), again


@pytest.mark.parametrize("words", LIMITS)
def test_a_keyword_that_is_added_later_and_does_not_fit_stops_nothing(words: bytes) -> None:
    old = ImapServer({b"INBOX": Folder([Mail(n, message(n), f"k{n}") for n in range(1, 4)])})
    with moving(old, ImapServer({}, KeywordLimit(3, words))) as move:
        assert move.copy().state is State.DONE
        old.folders[b"INBOX"].flag(1, r"k1 k9 \Flagged")
        old.folders[b"INBOX"].add(*mails(1, 20))
        report = move.copy()
        assert (report.state, balanced(report)) == (State.DONE, True), report
        assert move.standing() == {"INBOX": ["hello 1", "hello 2", "hello 20", "hello 3"]}
        assert told(report)
        assert r"\Flagged" in move.new.folders[b"INBOX"].mails[0].flags


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
@pytest.mark.parametrize("permanent", ["", r"\Seen \Answered \Flagged \Deleted \Draft", None])
def test_flags_of_the_system_are_tried_whatever_the_target_says_that_it_keeps(
    permanent: str | None, capabilities: str
) -> None:
    inbox = [Mail(1, message(1), r"\Seen"), Mail(2, message(2), r"\Flagged \Answered"), Mail(3, message(3), r"\Draft")]
    new = ImapServer(permanent=permanent, capabilities=capabilities)
    with moving(ImapServer({b"INBOX": Folder(inbox)}), new) as move:
        report = move.copy()
        assert (report.state, balanced(report)) == (State.DONE, True), report
        assert [set(mail.flags.split()) for mail in new.folders[b"INBOX"].mails] == [
            {"\\Seen"},
            {"\\Flagged", "\\Answered"},
            {"\\Draft"},
        ]
        assert move.verify().grade is Grade.PERFECT


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
@pytest.mark.parametrize("words", [b"NO [CANNOT] Flags are not supported", b"NO [NOPERM] no", b"NO Permission denied"])
def test_messages_come_without_flags_where_the_target_keeps_none_and_refuses_them(
    words: bytes, capabilities: str
) -> None:
    inbox = [Mail(n, message(n), r"\Seen" if n % 2 else "") for n in range(1, 8)]
    new = ImapServer({}, RefusesFlags(words), permanent="", capabilities=capabilities)
    with moving(ImapServer({b"INBOX": Folder(inbox)}), new) as move:
        report = move.copy()
        assert move.standing() == {"INBOX": [f"hello {n}" for n in range(1, 8)]}, report
        assert (report.state, balanced(report)) == (State.DONE, True), report
        assert [note for note in told(report) if words[3:].decode() in note]


def test_folders_below_and_beside_a_prefix_stay_apart() -> None:
    old = ImapServer(
        {
            b"INBOX": Folder(mails(1)),
            b"INBOX.Sent": Folder(mails(2, 10)),
            b"Sent": Folder(mails(3, 20)),
            b"INBOX.Work": Folder(mails(2, 30)),
            b"Work": Folder(mails(3, 40)),
        },
        separator=".",
        prefix="INBOX.",
    )
    with moving(old, ImapServer()) as move:
        assert_each_in_its_own(move)


@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("courier", [True, False])
def test_folders_called_inbox_below_inbox_stay_apart_from_it(courier: bool, prefix: bool, separator: str) -> None:
    paths = ["INBOX", "INBOX INBOX", "INBOX Inbox", "INBOX INBOX a", "Mine"]
    old = ImapServer(
        {path.replace(" ", separator).encode(): Folder(mails(2, 10 * n + 1)) for n, path in enumerate(paths)},
        separator=separator,
        prefix=f"INBOX{separator}" if prefix else "",
    )
    with moving(old, ImapServer(separator=".", prefix="INBOX.") if courier else ImapServer()) as move:
        standing = assert_each_in_its_own(move)
        assert standing["INBOX"] == ["hello 1", "hello 2"]


@pytest.mark.parametrize("capabilities", [ORDINARY, EVERYTHING])
def test_a_target_with_folders_below_and_beside_its_prefix_gets_each_folder_once(capabilities: str) -> None:
    old = ImapServer({b"INBOX": Folder(mails(1)), b"Work": Folder(mails(2, 10)), b"INBOX.Work": Folder(mails(2, 20))})
    new = ImapServer(
        {b"INBOX.Work": Folder(), b"Work": Folder()}, separator=".", prefix="INBOX.", capabilities=capabilities
    )
    with moving(old, new) as move:
        assert_each_in_its_own(move)


@pytest.mark.parametrize("standing", [{}, {b"INBOX.Old": Folder()}])
def test_a_prefix_that_the_target_wants_and_does_not_tell_is_found_out(standing: dict[bytes, Folder]) -> None:
    old = ImapServer({b"INBOX": Folder(mails(1)), b"Work": Folder(mails(2, 10)), b"Work/Sub": Folder(mails(1, 20))})
    new = ImapServer(dict(standing), WantsPrefix(), capabilities="IMAP4rev1 AUTH=PLAIN UIDPLUS", separator=".")
    with moving(old, new) as move:
        assert set(assert_each_in_its_own(move)) == {"INBOX", "INBOX.Work", "INBOX.Work.Sub"}


def test_flags_that_only_look_like_the_systems_are_left_out_and_told() -> None:
    inbox = [
        Mail(1, message(1), r"\Seen \NonJunk"),
        Mail(2, message(2), r"\$NOTJUNK \Seen"),
        Mail(3, message(3), r"\Flagged $MDNSent \Recent"),
        Mail(4, message(4), " ".join(f"k{n}" for n in range(40))),
        Mail(5, message(5), r"\Junk Junk \XYZ"),
    ]
    with moving(ImapServer({b"INBOX": Folder(inbox)}), ImapServer()) as move:
        report = move.copy()
        assert (report.state, report.tally.copied, refused(report)) == (State.DONE, 5, {}), report
        flags = [set(mail.flags.split()) for mail in move.new.folders[b"INBOX"].mails]
        for mail, have in zip(inbox, flags, strict=True):
            system = {flag for flag in mail.flags.split() if flag in {r"\Seen", r"\Flagged"}}
            keywords = {flag for flag in mail.flags.split() if not flag.startswith("\\")}
            assert system | keywords <= have
            assert {flag for flag in have if flag.startswith("\\")} == system
        assert move.verify().grade in WELL


def odd_names() -> ImapServer:
    return ImapServer(
        {
            b"INBOX": Folder(mails(1)),
            b"R&-D": Folder(mails(2, 10)),
            b"R&-D/Sub": Folder(mails(2, 20)),
            b"L&APg-bende": Folder(mails(2, 30)),
            b"R_D": Folder(mails(1, 40)),
        }
    )


@pytest.mark.parametrize(
    "odd",
    [
        RefusesNames(),
        RefusesNames(words=b"BAD invalid mailbox name"),
        RefusesNames(words=b"NO Mailbox name contains invalid characters"),
        RefusesNames(b"&", b"NO [CANNOT] only ASCII"),
        CreatesAndDoesNotOpen(),
        CreatesAndDoesNotOpen(b"&-"),
    ],
)
def test_a_name_that_the_target_will_not_have_becomes_another_and_nothing_merges(
    odd: RefusesNames | CreatesAndDoesNotOpen,
) -> None:
    with moving(odd_names(), ImapServer({}, odd)) as move:
        standing = assert_each_in_its_own(move)
        assert not any(odd.character.decode() in name for name in standing)
        assert standing["R_D"] in (["hello 40"], ["hello 10", "hello 11"])


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN UIDPLUS LITERAL+"])
def test_a_prefix_is_not_guessed_from_folders_that_the_copy_has_made(capabilities: str) -> None:
    old = ImapServer({b"INBOX": Folder(mails(1)), b"INBOX/Work": Folder(mails(2, 10))})
    with moving(old, ImapServer(capabilities=capabilities, separator=".")) as move:
        assert_each_in_its_own(move)
        old.folders[b"Work"] = Folder(mails(1, 50))
        assert move.copy().state is State.DONE
        assert sorted(move.standing().values()) == [["hello 1"], ["hello 10", "hello 11"], ["hello 50"]]


def test_a_name_that_is_refused_for_a_character_is_no_sign_that_case_is_folded() -> None:
    old = ImapServer({b"Work": Folder(mails(1)), b"work": Folder(mails(2, 10)), b"R&-D": Folder(mails(1, 30))})
    with moving(old, ImapServer({}, RefusesNames())) as move:
        assert {"Work", "work"} <= set(assert_each_in_its_own(move))
