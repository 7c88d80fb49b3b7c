from pathlib import Path

import pytest

from reconciler.errors import SpecError
from reconciler.spec.text_file import lines_of, read_text


def problem_of(path: Path) -> tuple[int, int, str]:
    with pytest.raises(SpecError) as caught:
        read_text(path)
    (problem,) = caught.value.problems
    return problem.line, problem.column, problem.message


def test_a_byte_order_mark_is_left_out_and_line_ends_stay(write):
    assert read_text(write("\ufeffa\r\nb\r\u00e4\n")) == "a\r\nb\r\u00e4\n"


@pytest.mark.parametrize(
    ("octets", "place", "why"),
    [
        (b"a: b\nc: \xe4\n", (2, 4), "not UTF-8"),
        (b"\xef\xbb\xbfa\xff", (1, 2), "not UTF-8"),
        (b"ok\r\n\xc3", (2, 1), "not UTF-8"),
        ("\ufffd\n".encode() + b"\xff", (2, 1), "not UTF-8"),
        ("a: b".encode("utf-16"), (0, 0), "UTF-16"),
        (b"a\nb\x00c", (2, 2), "control character"),
        (b"\xef\xbb\xbf\x07", (1, 1), "control character"),
    ],
)
def test_what_is_no_utf8_text_is_refused_at_its_place(write, octets: bytes, place: tuple[int, int], why: str):
    line, column, message = problem_of(write(octets))
    assert (line, column) == place
    assert why in message


def test_a_file_that_is_not_there_is_a_folder_or_has_no_name_is_refused(tmp_path: Path):
    assert problem_of(tmp_path / "x") == (0, 0, "cannot be read: no such file or directory; check the path")
    assert problem_of(tmp_path) == (0, 0, "cannot be read: is a directory; name the file itself")
    assert problem_of(tmp_path / "a\0b") == (0, 0, "cannot be read: it is no path")


def test_a_file_far_too_large_is_refused_unread(tmp_path: Path):
    with (tmp_path / "x").open("wb") as file:
        file.truncate(65 * 2**20)
    assert "larger than 64 MiB" in problem_of(tmp_path / "x")[2]


def test_lines_end_as_yaml_counts_them():
    assert lines_of("a\nb\r\nc\rd") == ["a", "b", "c", "d"]
