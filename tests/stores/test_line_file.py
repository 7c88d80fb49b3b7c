from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ObserveError
from reconciler.formats.mail_server.line_text import HEADER, Edit, Text
from reconciler.stores.line_file import LineFile
from reconciler.transports.local import LocalTransport

FILE = PurePath("/etc/file")
LINES = st.binary().filter(lambda b: b"\r" not in b and b"\0" not in b)


def edited(content, act):
    edit = Edit(Text(FILE, content))
    act(edit)
    return edit.content()


@given(LINES)
def test_a_file_without_changes_keeps_every_octet(content):
    assert edited(content, lambda edit: None) == content


@given(LINES, st.lists(st.sampled_from(["a", "b c"]), min_size=1, max_size=3))
def test_what_is_added_and_removed_leaves_every_octet_as_it_was(content, lines):
    before = len(Text(FILE, content).lines)
    longer = edited(content, lambda edit: edit.append(*lines))
    assert longer != content

    def remove(edit):
        for index in range(before, before + len(lines)):
            edit.replace(index)

    assert edited(longer, remove) == content


def test_a_missing_end_of_the_last_line_stays_missing():
    assert edited(b"a", lambda edit: edit.append("b")) == b"a\nb"
    assert edited(b"a\nb", lambda edit: edit.replace(1)) == b"a"


def test_a_new_file_begins_with_our_header_and_goes_with_its_last_line():
    made = edited(None, lambda edit: edit.append("a"))
    assert made == f"{HEADER}\na\n".encode()
    assert edited(made, lambda edit: edit.replace(1)) is None


def test_a_file_of_somebody_else_stays_when_it_is_empty():
    assert edited(b"a\n", lambda edit: edit.replace(0)) == b""
    assert edited(b"", lambda edit: edit.append("a")) == b"a\n"


def test_lines_are_named_by_where_they_were():
    def act(edit):
        edit.replace(0, "A", "A2")
        edit.insert(2, "before c", "still before c")
        edit.replace(2)
        edit.append("end")

    assert edited(b"a\nb\nc\nd\n", act) == b"A\nA2\nb\nbefore c\nstill before c\nd\nend\n"


def test_a_crlf_file_is_refused_with_the_command_that_mends_it():
    with pytest.raises(ObserveError, match=r"^/etc/file:2: the line ends in CRLF.*sed -i 's/\\r\$//' /etc/file"):
        Text(FILE, b"a\nb\r\nc\n")


def test_a_carriage_return_inside_of_a_line_is_not_a_line_end():
    assert Text(FILE, b"a\rb\n").lines == ["a\rb"]


def test_a_file_that_a_crash_has_filled_with_nul_is_refused():
    with pytest.raises(ObserveError, match=r"^/etc/file:2: there are NUL octets.*restore"):
        Text(FILE, b"a\n\0\0\0")


class CountingTransport(LocalTransport):
    """Counts how often contents are read."""

    reads = 0

    def read(self, path):
        self.reads += 1
        return super().read(path)


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path):
    transport = CountingTransport()
    path = tmp_path / "f"
    path.write_bytes(b"a\n")
    file = LineFile(transport, path, lambda text: text.lines)
    assert file.read() == file.read() == ["a"]
    assert transport.reads == 1
    transport.write(path, b"b\n")
    assert file.read() == ["b"]
    assert file.read() == ["b"]
    path.unlink()
    assert file.read() == []


def test_a_fresh_reading_does_not_trust_the_signature(tmp_path):
    transport = CountingTransport()
    path = tmp_path / "f"
    path.write_bytes(b"a\n")
    file = LineFile(transport, path, lambda text: text.lines)
    file.read()
    assert file.fresh() == ["a"]
    assert transport.reads == 2


def test_a_file_that_made_no_sense_is_tried_again_once_it_is_mended(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"a\n")
    file = LineFile(LocalTransport(), path, lambda text: text.lines)
    file.read()
    path.write_bytes(b"b\r\n")
    for _ in range(2):
        with pytest.raises(ObserveError, match="CRLF"):
            file.read()
    path.write_bytes(b"c\n")
    assert file.read() == ["c"]


def test_a_missing_file_is_empty_or_an_error_as_it_is_told(tmp_path):
    assert LineFile(LocalTransport(), tmp_path / "f", lambda text: text.lines).read() == []
    with pytest.raises(ObserveError, match=r"/f does not exist.*mend the path in the options"):
        LineFile(LocalTransport(), tmp_path / "f", lambda text: text.lines, must_exist=True).read()


def test_stores_that_read_at_once_share_one_reading(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"a\n" * 10_000)
    transport = CountingTransport()
    file = LineFile(transport, path, lambda text: text.lines)
    with ThreadPoolExecutor(8) as pool:
        readings = [reading.result() for reading in [pool.submit(file.read) for _ in range(32)]]
    assert transport.reads == 1
    assert all(reading is readings[0] for reading in readings)
