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
    """``name domain:selector:path``; ``where`` is the path, or the key itself. ``bare``: no comment is on its line."""

    index: int
    name: str
    domain: str
    selector: str
    where: str
    bare: bool = True

    @property
    def is_path(self) -> bool:
        """Whether ``where`` names a file."""
        return self.where.startswith(("/", "."))


@dataclass(frozen=True, slots=True)
class SigningRow:
    """``pattern key-name``: whose mail is signed with which key. ``bare``: nothing else is on its line."""

    index: int
    pattern: str
    key: str
    bare: bool = True

    def signs_for(self, domain: str) -> bool:
        """Whether it decides for most addresses of a domain.

        A row for a single address does not: it is an exception that somebody has made on purpose.
        """
        pattern = self.pattern.lower()
        return pattern in {domain, f".{domain}"} or fnmatchcase(f"\x00@{domain}", pattern.replace("[", "[[]"))


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The keys of one domain by selector, and the rows of all others."""

    text: Text
    rows: dict[str, KeyRow]
    others: tuple[KeyRow, ...] = ()


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
    others = []
    for index, name, value in _pairs(text):
        fields = value.split(":", _FIELDS - 1)
        if len(fields) != _FIELDS:
            raise text.error(index, f"the key {name} has no DOMAIN:SELECTOR:PATH; OpenDKIM would not start: mend it")
        of, selector, where = fields
        row = KeyRow(index, name, of, selector, where, bare="#" not in text.lines[index])
        if not same_domain(row.domain, domain):
            others.append(row)
            continue
        if row.selector in rows:
            first = rows[row.selector].index + 1
            raise text.error(index, f"the selector {row.selector} stands here and in line {first}: remove one")
        rows[row.selector] = row
    return KeyTable(text, rows, tuple(others))


def parse_signers(text: Text) -> SigningTable:
    """Every row; what follows the key's name is the signer's.

    Raises:
        ObserveError: a row names no key.

    """
    rows = (
        SigningRow(index, pattern, value.split()[0], bare=text.lines[index].split() == [pattern, value])
        for index, pattern, value in _pairs(text)
    )
    return SigningTable(text, tuple(rows))


def first_for(table: SigningTable, domain: str) -> int | None:
    """The line that decides for most addresses of a domain; None if none does."""
    return next((row.index for row in table.rows if row.signs_for(domain)), None)


def _pairs(text: Text) -> list[tuple[int, str, str]]:
    pairs = []
    for index, line in enumerate(text.lines):
        key, *rest = line.partition("#")[0].split(maxsplit=1) or [""]
        if key and not rest:
            raise text.error(index, f"{key} has no value: expected two columns; was the line written in full?")
        if key:
            pairs.append((index, key, rest[0].strip()))
    return pairs
