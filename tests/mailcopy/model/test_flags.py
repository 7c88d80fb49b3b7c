import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.flags import EVERYTHING, SYSTEM, Allowed, follow, lost, portable, storable


@given(st.text())
def test_what_is_portable_can_stand_in_a_command(flags: str) -> None:
    for flag in portable(flags).split(" ") if portable(flags) else []:
        assert flag in SYSTEM or re.fullmatch(r"[!-~]{1,50}", flag)
        assert flag in SYSTEM or not set(flag) & set('(){%*"\\]')


@given(st.text())
def test_portable_flags_stay_as_they_are(flags: str) -> None:
    assert portable(portable(flags)) == portable(flags)


def test_recent_and_unknown_system_flags_and_hostile_keywords_are_left_out() -> None:
    flags = "\\Recent \\Forwarded bad(flag $Forwarded \\seen a\r\nb x*y " + "k" * 51
    assert portable(flags) == "$Forwarded \\Seen a b"
    assert "\\Recent" not in lost(flags)
    assert {"\\Forwarded", "bad(flag", "x*y", "k" * 51} <= lost(flags)


def test_one_flag_in_two_spellings_is_one() -> None:
    assert portable("\\SEEN \\Seen Later later") == "\\Seen Later"


def test_a_folder_that_takes_no_new_keywords_gets_only_those_it_lists() -> None:
    allowed = Allowed.of(["\\Seen", "\\Flagged", "$Forwarded"])
    assert storable("$Forwarded \\Answered \\Seen new", allowed) == "$Forwarded \\Seen"
    assert storable("new \\Seen", EVERYTHING) == "new \\Seen"


def test_flags_follow_as_differences() -> None:
    change = follow("\\Flagged old", "\\Seen old New")
    assert change is not None
    assert (change.add, change.remove) == ("New \\Seen", "\\Flagged")
    assert follow("\\Seen", "\\Seen") is None


def test_a_message_on_the_target_is_never_marked_as_deleted_but_the_mark_is_taken_off() -> None:
    assert follow("\\Seen", "\\Deleted \\Seen") is None
    change = follow("\\Deleted", "\\Deleted \\Seen")
    assert change is not None
    assert change.add == "\\Seen"
    undone = follow("\\Deleted", "")
    assert undone is not None
    assert (undone.add, undone.remove) == ("", "\\Deleted")
