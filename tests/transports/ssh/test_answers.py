"""What GNU tar, stat and sudo say, and what it means."""

from pathlib import PurePath

import pytest

from reconciler.transports.ssh import answers


def test_that_a_file_is_absent_is_no_complaint() -> None:
    said = (
        "tar: /a: Cannot stat: No such file or directory\n"
        "stat: cannot statx '/b'$'\\n''c': Not a directory\n"
        "tar: Exiting with failure status due to previous errors\n\n"
    )
    assert list(answers.complaints(said)) == []


def test_everything_else_is_a_complaint_even_words_that_nobody_knows() -> None:
    said = "tar: /a: b: Cannot open: Permission denied\nstat: cannot stat '/c': Input/output error\nwhat is this\n"
    assert list(answers.complaints(said)) == [
        ("/a: b", "Permission denied"),
        ("/c", "Input/output error"),
        ("", "what is this"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "tar: /f: file changed as we read it",
        "tar: /f: File shrank by 20 bytes; padding with zeros",
        "tar: /f: File removed before we read it",
    ],
)
def test_a_file_in_motion_is_read_again_and_is_no_complaint(line: str) -> None:
    assert answers.in_motion(line)
    assert list(answers.complaints(line)) == []


def test_the_reason_is_the_end_of_the_last_line() -> None:
    assert answers.reason("mktemp: failed\ncat: write error: No space left on device\n") == "No space left on device"
    assert answers.reason("") == "it said nothing"


def test_of_sudos_words_only_the_ones_of_sudo_itself_count() -> None:
    assert (answers.sudo_refused("x: y\nsudo: a password is required\n", "there") or "").startswith(
        "there: sudo: a password is required. Nothing was done."
    )
    assert answers.sudo_refused("tar: sudo: Cannot open: Permission denied", "there") is None


def test_the_arrow_of_a_link_is_told_from_one_in_a_name() -> None:
    out = b'/a" -> "b\0"/a\\" -> \\"b" -> "t\\n\\"\\\\\\303\\274"\0/plain\0"/plain"\0/q" -> "\0"/q\\" -> \\""\0'
    assert answers.links(out) == {PurePath('/a" -> "b'): 't\n"\\ü'}


def test_times_before_1970_and_without_fractions_make_a_signature() -> None:
    stat = answers.as_stat(b"0 8 640 65024 7 12 -1.500000000 1700000000.000000001")
    assert (stat.uid, stat.gid, stat.mode) == (0, 8, 0o640)
    assert stat.signature[3:] != answers.as_stat(b"0 8 640 65024 7 12 -1.400000000 1700000000.000000001").signature[3:]
    assert answers.as_stat(b"0 8 640 65024 7 12 5 6").signature == (65024, 7, 12, 5 * 10**9, 6 * 10**9)
