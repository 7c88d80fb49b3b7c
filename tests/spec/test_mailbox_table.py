import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.spec.mailbox_table import Row, TableFault, read_table


def rows(text: str) -> list[tuple[int, dict[str, str]]]:
    found = [*read_table(text)]
    assert all(isinstance(row, Row) for row in found), found
    return [(row.line, row.cells) for row in found if isinstance(row, Row)]


def fault(text: str) -> tuple[int, str]:
    *_, last = read_table(text)
    assert isinstance(last, TableFault)
    return last


@pytest.mark.parametrize("header", ["EmailAddress,UserName,Password", "emailaddress, username ,PASSWORD"])
def test_microsofts_header_describes_the_old_server(header: str):
    assert rows(f"{header}\nann@x.org,ann,pw\n") == [
        (2, {"address": "ann@x.org", "old_login": "ann", "old_password": "pw"})
    ]


def test_our_own_header_has_the_words_of_the_spec():
    assert rows("address,password,Old_Login\nann@x.org,keep,\n") == [(2, {"address": "ann@x.org", "password": "keep"})]
    assert rows("address,new_login\nann@x.org,ann\n") == [(2, {"address": "ann@x.org", "new_login": "ann"})]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_blank_lines_and_quoted_line_ends_count(end: str):
    text = end.join(["address,name", "", 'a@x.org,"A', 'B"', ",", "c@x.org,C"])
    assert [line for line, _ in rows(text)] == [3, 6]


def test_line_separators_of_unicode_do_not_end_a_row():
    assert rows("address,name\na@x.org,A\u2028B\x85C\n") == [(2, {"address": "a@x.org", "name": "A\u2028B\x85C"})]


def test_semicolons_of_a_spreadsheet_are_understood():
    assert rows('address;name\na@x.org;"A; B, C"\n') == [(2, {"address": "a@x.org", "name": "A; B, C"})]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "the file is empty"),
        ("\n\n", 1, "the file is empty"),
        ("ann@x.org,hunter2\n", 1, "the first row is not a header"),
        ("address,nmae\na,b\n", 1, "unknown column 'nmae'; did you mean 'name'?"),
        ("EmailAdress,UserName\na,b\n", 1, "unknown column 'EmailAdress'; did you mean 'EmailAddress'?"),
        ("name,quota\na,b\n", 1, "the column 'address' (or 'EmailAddress') is missing"),
        ("UserName,Password,EmailAddress,old_login\na,b,c,d\n", 1, "two columns are the mailbox's old_login"),
        ("address,name\na@x.org\n", 2, "this row has 1 fields, the header 2"),
        ("address,name\na@x.org,hunter2,c\n", 2, "this row has 3 fields"),
        ('address,name\na@x.org,"hunter2\nb,c\n', 2, "a quoted field is not closed"),
        ('address,name\na@x.org,"a"hunter2\n', 2, "something stands after a quote"),
        ("address,name\na@x.org," + "x" * 200_000, 2, "a field is too long"),
    ],
)
def test_a_broken_table_is_explained_at_its_line(text: str, line: int, words: str):
    found = fault(text)
    assert found[0] == line
    assert words in found[1]
    assert "hunter2" not in found[1]


def test_a_row_that_is_broken_does_not_hide_the_others():
    found = [*read_table("address\na@x.org,b\nc@x.org\n")]
    assert [type(item) for item in found] == [TableFault, Row]


@given(st.text(max_size=80) | st.text(alphabet='address,name;"\n\r a@', max_size=60).map("address,name\n{}".format))
def test_any_text_gives_rows_and_faults_and_nothing_else(text: str):
    found = [*read_table(text)]
    assert {type(item) for item in found} <= {Row, TableFault}
    assert all(item.line >= 1 for item in found)
