"""The parts of a server's response, whatever strings it chose: atom, quoted or literal (RFC 3501, section 9)."""

import re
from typing import NamedTuple

Token = bytes | list["Token"] | None
"""A string or atom, a parenthesised list, or NIL."""

_TOKEN = re.compile(
    rb' *(?:"((?:[^"\\]|\\.)*)"|([()])|((?:BODY|BINARY)(?:\.\w+)?\[[^\]]*\](?:<\d+>)?|[^ ()"]+))', re.IGNORECASE
)
_LONGEST_NUMBER = 20
"""Digits; numbers of IMAP have 10, or 19 where they count changes."""

_ONE_LITERAL = re.compile(rb"\* \d+ FETCH \(UID (\d+) BODY\[(HEADER\.FIELDS \([^()]*\))?\] \Z", re.IGNORECASE)
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)


class Fetched(NamedTuple):
    """What one FETCH response says; None where it is silent. ``header``: the part of it that was asked for."""

    uid: int | None = None
    flags: str | None = None
    date: str | None = None
    size: int | None = None
    body: bytes | None = None
    header: bytes | None = None

    def beside(self, earlier: "Fetched | None") -> "Fetched":
        """Both together: servers may tell of one message in several responses."""
        told = {name: value for name, value in self._asdict().items() if value is not None}
        return earlier._replace(**told) if earlier else self


def tokens(parts: list[bytes]) -> list[Token]:
    """The tokens of a response whose even parts are text and odd parts literals."""
    top: list[Token] = []
    stack = [top]
    for number, part in enumerate(parts):
        if number % 2:
            stack[-1].append(part)
            continue
        for quoted, paren, atom in _TOKEN.findall(part.rstrip(b"\r\n")):
            if paren == b"(":
                inner: list[Token] = []
                stack[-1].append(inner)
                stack.append(inner)
            elif paren:
                if len(stack) > 1:
                    stack.pop()
            elif atom:
                stack[-1].append(None if atom.upper() == b"NIL" else atom)
            else:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted))
    return top


def fetched(parts: list[bytes]) -> Fetched | None:
    """A FETCH response, its items in any order and beside any others; None for any other response.

    Each item is known by its name: what else a server puts into a row, a literal too, is no message.
    """
    if len(parts) == 3 and parts[2] == b")\r\n" and (plain := _ONE_LITERAL.match(parts[0])):  # noqa: PLR2004 - as most do it
        return Fetched(int(plain[1]), header=parts[1]) if plain[2] else Fetched(int(plain[1]), body=parts[1])
    if not _FETCH.match(parts[0]):
        return None
    row = tokens(parts)[3:4]
    items = row[0] if row and isinstance(row[0], list) else []
    named: dict[bytes, Token] = {}
    for name, value in zip(items[::2], items[1::2], strict=False):
        if isinstance(name, bytes) and named.get(name.upper()) is None:
            named[name.upper()] = value
    flags = named.get(b"FLAGS")
    header = next((value for name, value in named.items() if name.startswith(b"BODY[HEADER")), None)
    return Fetched(
        _number(named.get(b"UID")),
        b" ".join(flag for flag in flags if isinstance(flag, bytes)).decode("ascii", "replace")
        if isinstance(flags, list)
        else None,
        _string(named.get(b"INTERNALDATE")),
        _number(named.get(b"RFC822.SIZE")),
        _octets(named.get(b"BODY[]")),
        _octets(header),
    )


def _number(value: Token) -> int | None:
    """Of ASCII digits alone; a size may be NIL or below zero, and is then not known."""
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < _LONGEST_NUMBER else None


def _string(value: Token) -> str | None:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else None


def _octets(value: Token) -> bytes | None:
    return value if isinstance(value, bytes) else None


def quoted(name: bytes) -> bytes:
    """A folder name as a quoted string; names with line ends or NUL never come here."""
    assert not any(octet in name for octet in b"\0\r\n"), name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
