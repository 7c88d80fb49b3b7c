"""What the target's answers to single messages say about a folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.imap.lane import Lane, spread
from reconciler.mailcopy.model.accounting import Fate
from reconciler.mailcopy.model.flags import EVERYTHING, Allowed
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.message import Row

LIMIT = "NO [LIMIT] Too many user flags in mailbox"


def lane(allowed: Allowed = EVERYTHING) -> Lane:
    return Lane("Work", FolderState(1, b"Work", 11, b"Work", 12), 5, allowed)


def row(uid: int, flags: str = "") -> Row:
    return Row(uid, flags, "", 1)


def test_a_message_is_tried_without_its_new_keywords_and_then_without_any_flag() -> None:
    folder, message = lane(), row(7, "$old \\Seen new")
    folder.took(row(1, "$old"), "$old", 5)
    sent = [folder.flags_for(message)]
    while folder.may_be_the_flags(7, sent[-1], LIMIT):
        sent.append(folder.flags_for(message))
    assert sent == ["$old \\Seen new", "$old \\Seen", ""]


@given(st.sets(st.sampled_from(["$a", "$b", "\\Seen", "\\Draft"])), st.sets(st.sampled_from(["$a", "\\Seen", "\\*"])))
def test_fewer_flags_are_tried_a_few_times_and_no_more(flags, permanent) -> None:
    folder, message = lane(Allowed.of(permanent)), row(7, " ".join(sorted(flags)))
    for _ in range(3):
        if not folder.may_be_the_flags(7, folder.flags_for(message), LIMIT):
            break
    assert not folder.may_be_the_flags(7, folder.flags_for(message), LIMIT)
    assert folder.flags_for(message) == ""


def test_a_message_that_has_no_flags_is_refused_at_once() -> None:
    assert not lane().may_be_the_flags(7, "", "NO Virus found")


def test_what_is_left_off_is_on_record_and_told_and_not_tried_on_the_next_message() -> None:
    folder = lane()
    folder.may_be_the_flags(7, "\\Seen new", LIMIT)
    record = folder.took(row(7, "\\Seen new"), folder.flags_for(row(7, "\\Seen new")), 5)
    assert (record.fate, record.flags) == (Fate.COPIED, "\\Seen new")
    assert record.words == f"without keyword new: {LIMIT}"
    assert folder.flags_for(row(8, "\\Flagged other")) == "\\Flagged"
    folder.took(row(8, "\\Flagged other"), "\\Flagged", 6)
    assert folder.notes == (
        f"1 message comes without the flag new, as UID 7: {LIMIT}",
        f"1 message comes without the flag other, as UID 8: {LIMIT}",
    )


def test_one_flag_that_is_refused_keeps_back_no_other() -> None:
    folder = lane()
    folder.may_be_the_flags(7, "\\Draft", "NO no drafts here")
    record = folder.took(row(7, "\\Draft"), "", 5)
    assert record.words == "without flags \\Draft: NO no drafts here"
    assert folder.flags_for(row(8, "\\Draft \\Seen")) == "\\Seen"


def test_words_about_the_folder_are_about_the_message_once_others_got_in() -> None:
    folder = lane()
    assert folder.may_be_the_folder(7, "[NOPERM] no")
    assert (folder.blocked, folder.doubted) == ("", "[NOPERM] no")
    folder.took(row(8), "", 5)
    assert [record.uid for record in folder.of_the_message()] == [7]
    assert not folder.may_be_the_folder(9, "[NOPERM] no")


def test_words_about_the_folder_are_believed_the_third_time() -> None:
    folder = lane()
    for uid in (1, 2, 3):
        folder.may_be_the_folder(uid, "[NOPERM] no")
    assert folder.blocked == "[NOPERM] no"
    assert not folder.refusals


def test_the_same_no_to_many_has_others_tried_before_the_folder_is_blocked() -> None:
    folder = lane()
    assert [folder.no("NO Virus", lambda: 51) for _ in range(25)] == [False] * 24 + [True]
    folder.took(row(90), "", 5)
    assert [folder.no("NO Virus", lambda: 51) for _ in range(25)][-1]
    for _ in range(25):
        folder.no("NO Virus", lambda: 51)
    assert folder.blocked == "NO Virus"


def test_no_folder_is_given_up_while_only_a_few_messages_are_left_to_try() -> None:
    folder = lane()
    assert not any(folder.no("NO Virus", lambda: 50) for _ in range(100))
    assert not folder.blocked


@pytest.mark.parametrize(
    ("told", "exists", "as_told"),
    [
        ((5, 6), 6, True),
        ((5, 7), 6, False),
        ((6, 7), 6, False),
        ((5, 5), 6, False),
        ((5, 6), 5, False),
        ((0, 0), 6, False),
    ],
)
def test_the_target_has_done_as_told_when_the_numbers_are_just_so(told, exists, as_told) -> None:
    folder = lane()
    folder.held, folder.exists, folder.new = 4, exists, 2
    for uid, there in enumerate(told, 1):
        folder.took(row(uid), "", there)
    assert folder.as_told is as_told


def test_a_sample_is_spread_from_the_last_to_the_first() -> None:
    assert [each.uid for each in spread([row(uid) for uid in range(1, 11)], 3)] == [10, 7, 4]
    assert [each.uid for each in spread([row(1), row(2)], 3)] == [2, 1]
