"""Mailboxes from the CSV file that ``mailboxes_from`` names; a password in it becomes a reference to its row."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import NameInvalid, Problem, SpecError
from reconciler.model.name import mail_address
from reconciler.model.secret import is_reference
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.mailbox_table import SECRET_COLUMNS, Row, TableFault, read_table
from reconciler.spec.owner_only import complaint
from reconciler.spec.text_file import read_text
from reconciler.spec.wording import faults

_COLUMN: Final = 1
_MAILBOXES: Final = TypeAdapter(tuple[Mailbox, ...])
_WORDS: Final = frozenset({"keep", "generate"})
_UNQUOTED: Final = "@!$&'*+/=?^`{|}"  # all that a local part may hold, but for # and %


class Listed(NamedTuple):
    """Mailboxes of a CSV file, with the line of each."""

    mailboxes: tuple[Mailbox, ...]
    lines: tuple[int, ...]


def read_mailboxes(named: str, base: Path) -> Listed:
    """All rows of the file; ``named`` is its path as the spec in ``base`` has it.

    Raises:
        SpecError: with every row that is wrong.

    """
    path = base / named
    text = read_text(path)
    problems: list[Problem] = []
    rows: list[Row] = []
    for item in read_table(text):
        if isinstance(item, TableFault):
            problems.append(Problem(str(path), item.line, _COLUMN, item.message))
        else:
            rows.append(item)
    literal = next((row for row in rows if any(_is_literal(row, column) for column in SECRET_COLUMNS)), None)
    wrong = complaint(path, path.stat().st_mode) if literal else None
    if literal and wrong:
        problems.append(Problem(str(path), literal.line, _COLUMN, wrong))
    mailboxes: tuple[Mailbox, ...] = ()
    try:
        mailboxes = _MAILBOXES.validate_python([_settled(row, named) for row in rows])
    except ValidationError as error:
        problems += _in_rows(error, rows, path)
    if problems:
        raise SpecError(*problems)
    return Listed(mailboxes, tuple(row.line for row in rows))


def row_reference(named: str, address: str, column: str) -> str:
    """The reference to one cell: ``file:users.csv#ann@example.org``, for another than ``old_password`` ``…:COLUMN``."""
    cell = "" if column == "old_password" else f":{column}"
    return f"file:{named}#{quote(address, safe=_UNQUOTED)}{cell}"


def split_row_reference(rest: str) -> tuple[str, str, str] | None:
    """Path, address and column of what stands behind ``file:``; None if it names a whole file."""
    path, mark, fragment = rest.rpartition("#")
    address, _, column = fragment.partition(":")
    if not mark or "@" not in address:
        return None
    return path, unquote(address), column or "old_password"


def secrets_of(text: str) -> Iterator[tuple[str, str, str]]:
    """Address, column and content of every password cell that is no reference; rows that are broken are left out.

    A later row for the same address stands for the earlier one.
    """
    for item in read_table(text):
        if isinstance(item, Row):
            for column in SECRET_COLUMNS:
                if _is_literal(item, column):
                    yield _normal(item.cells.get("address", "")), column, item.cells[column]


def _settled(row: Row, named: str) -> dict[str, str]:
    """The cells as fields of a mailbox, without any secret."""
    cells = {name: cell if name in SECRET_COLUMNS else cell.strip() for name, cell in row.cells.items()}
    for column in SECRET_COLUMNS:
        if _is_literal(row, column):
            cells[column] = row_reference(named, _normal(cells.get("address", "")), column)
    return cells


def _is_literal(row: Row, column: str) -> bool:
    cell = row.cells.get(column, "")
    return bool(cell) and not is_reference(cell) and not (column == "password" and cell in _WORDS)


@lru_cache(maxsize=4)
def _normal(address: str) -> str:
    try:
        return mail_address(address)
    except NameInvalid:
        return address


def _in_rows(error: ValidationError, rows: Iterable[Row], path: Path) -> Iterator[Problem]:
    lines = [row.line for row in rows]
    errors: list[Any] = error.errors(include_url=False, include_input=False)
    for fault in faults(errors, Mailbox):
        yield Problem(str(path), lines[int(fault.loc[0])], _COLUMN, fault.message)
