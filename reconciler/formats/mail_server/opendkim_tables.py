"""OpenDKIM's KeyTable and SigningTable, as files (``file:`` or ``refile:``).

Source: opendkim.conf(5), KeyTable and SigningTable; tested with OpenDKIM 2.11.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.formats.mail_server.line_text import Text
from reconciler.formats.templates import same_domain

_FIELDS = 3


@dataclass(frozen=True, slots=True)
class KeyRow:
    """``name domain:selector:path``; ``where`` is the path, or the key itself."""

    index: int
    name: str
    domain: str
    selector: str
    where: str


@dataclass(frozen=True, slots=True)
class SigningRow:
    """``pattern key-name``: whose mail is signed with which key."""

    index: int
    pattern: str
    key: str


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The keys of one domain by selector."""

    text: Text
    rows: dict[str, KeyRow]


@dataclass(frozen=True, slots=True)
class SigningTable:
    """All rows, in the order in which OpenDKIM tries them."""

    text: Text
    rows: tuple[SigningRow, ...]


def parse_keys(text: Text, domain: str) -> KeyTable:
    """The keys that are this domain's by name; rows for any domain (``%``) are not.

    Raises:
        ObserveError: a row has not the three fields, or a selector of the domain stands twice.

    """
    rows: dict[str, KeyRow] = {}
    for index, name, value in _pairs(text):
        fields = value.split(":", _FIELDS - 1)
        if len(fields) != _FIELDS:
            raise text.error(index, f"the key {name} has no DOMAIN:SELECTOR:PATH; OpenDKIM would not start: mend it")
        row = KeyRow(index, name, *fields)
        if not same_domain(row.domain, domain):
            continue
        if row.selector in rows:
            first = rows[row.selector].index + 1
            raise text.error(index, f"the selector {row.selector} stands here and in line {first}: remove one")
        rows[row.selector] = row
    return KeyTable(text, rows)


def parse_signers(text: Text) -> SigningTable:
    """Every row; what follows the key's name is the signer's.

    Raises:
        ObserveError: a row names no key.

    """
    return SigningTable(text, tuple(SigningRow(index, key, value.split()[0]) for index, key, value in _pairs(text)))


def first_for(table: SigningTable, domain: str) -> int | None:
    """The line that decides for most addresses of a domain; None if none does.

    A row for a single address does not count: it is an exception that somebody has made on purpose.
    """
    anybody = f"\x00@{domain}"
    for row in table.rows:
        pattern = row.pattern.lower()
        if pattern in {domain, f".{domain}"} or fnmatchcase(anybody, pattern.replace("[", "[[]")):
            return row.index
    return None


def _pairs(text: Text) -> list[tuple[int, str, str]]:
    pairs = []
    for index, line in enumerate(text.lines):
        key, *rest = line.partition("#")[0].split(maxsplit=1) or [""]
        if key and not rest:
            raise text.error(index, f"{key} has no value: expected two columns; was the line written in full?")
        if key:
            pairs.append((index, key, rest[0].strip()))
    return pairs
