"""The CSV of mailboxes as a table: Microsoft's header or ours, each row with its line.

Microsoft's header (EmailAddress,UserName,Password) describes the *old* server: whoever has it exported it from there or
made it for a migration batch. Ours has the words of the spec. (RFC 4180; Microsoft Learn, "CSV files for IMAP migration
batches in Exchange Online")
"""

import csv
import io
from collections.abc import Iterator
from typing import Final, NamedTuple

from reconciler.spec.wording import suggestion

COLUMNS: Final = (
    "address", "name", "quota", "password", "forward_to", "moved", "old_login", "old_password", "new_login",
)  # fmt: skip
SECRET_COLUMNS: Final = ("password", "old_password")
_MICROSOFT: Final = {"emailaddress": "address", "username": "old_login", "password": "old_password"}


class TableFault(NamedTuple):
    """What is wrong on a line of the file."""

    line: int
    message: str


class Row(NamedTuple):
    """One row: its first line, and its cells by our column names; empty cells are left out."""

    line: int
    cells: dict[str, str]


def read_table(text: str) -> Iterator[Row | TableFault]:
    """The rows in their order; a table whose header is wrong is one fault and no rows."""
    first_line = text.lstrip("\r\n").partition("\n")[0]
    # a spreadsheet whose language has decimal commas writes semicolons
    delimiter = ";" if ";" in first_line and "," not in first_line else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield TableFault(line, f"this row cannot be read ({_in_words(error)})")
            return
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = [_canonical(cell, cells) for cell in cells]
            wrong = _header_fault(cells, columns)
            if wrong:
                yield TableFault(line, wrong)
                return
        elif len(cells) != len(columns):
            yield TableFault(line, f"this row has {len(cells)} fields, the header {len(columns)}")
        else:
            yield Row(line, {name: cell for name, cell in zip(columns, cells, strict=True) if cell})
    if not columns:
        yield TableFault(1, f"the file is empty: expected a header such as {','.join(COLUMNS[:4])}")


def _canonical(cell: str, header: list[str]) -> str:
    name = cell.strip().casefold()
    microsoft = any(other.strip().casefold() in {"emailaddress", "username"} for other in header)
    return _MICROSOFT.get(name, name) if microsoft else name


def _header_fault(cells: list[str], columns: list[str]) -> str | None:
    known = (*COLUMNS, "EmailAddress", "UserName", "Password")
    if not any(column in COLUMNS for column in columns):  # then it may be a mailbox with its password: quote nothing
        return f"the first row is not a header: expected columns such as {','.join(COLUMNS[:4])}"
    for cell, column in zip(cells, columns, strict=True):
        if column not in COLUMNS:
            return f"unknown column {suggestion(cell.strip(), known)}"
        if columns.count(column) > 1:
            return f"two columns are the mailbox's {column}"
    return None if "address" in columns else "the column 'address' (or 'EmailAddress') is missing"


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end of data" in said:
        return "a quoted field is not closed"
    return "a field is too long: is a quote not closed?" if "field larger" in said else "something stands after a quote"
