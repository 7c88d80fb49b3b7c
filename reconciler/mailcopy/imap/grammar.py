"""The parts of a server's response, whatever strings it chose: atom, quoted or literal (RFC 3501, section 9)."""

import re
from typing import NamedTuple

Token = bytes | list["Token"] | None
"""A string or atom, a parenthesised list, or NIL."""

_TOKEN = re.compile(rb' *(?:"((?:[^"\\]|\\.)*)"|([()])|([^ ()"]+))')
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'INTERNALDATE "([^"]*)"', re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)", re.IGNORECASE)
_WHOLE = re.compile(rb"\* \d+ FETCH \(UID (\d+) BODY\[\] \Z", re.IGNORECASE)
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_QUOTED_BODY = re.compile(rb'BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)


class Fetched(NamedTuple):
    """What one FETCH response says; None where it is silent."""

    uid: int | None
    flags: str | None
    date: str | None
    size: int | None
    body: bytes | None


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
    """A FETCH response, its attributes in any order; None for any other response.

    Flags are cut out first: two keywords ``UID 7`` must not be read as an attribute.
    """
    if len(parts) == 3 and parts[2] == b")\r\n" and (plain := _WHOLE.match(parts[0])):  # noqa: PLR2004 - as servers do it
        return Fetched(int(plain[1]), None, None, None, parts[1])
    if not _FETCH.match(parts[0]):
        return None
    text = b" ".join(parts[::2])
    flags = _FLAGS.search(text)
    if flags:
        text = text[: flags.start()] + text[flags.end() :]
    uid, date, size = _UID.search(text), _DATE.search(text), _SIZE.search(text)
    body = parts[1] if len(parts) > 1 else None
    if body is None and (short := _QUOTED_BODY.search(text)):
        body = re.sub(rb"\\(.)", rb"\1", short[1])
    return Fetched(
        uid=int(uid[1]) if uid else None,
        flags=flags[1].decode("ascii", "replace") if flags else None,
        date=date[1].decode("ascii", "replace") if date else None,
        size=int(size[1]) if size else None,
        body=body,
    )


def quoted(name: bytes) -> bytes:
    """A folder name as a quoted string; names with line ends or NUL never come here."""
    assert not any(octet in name for octet in b"\0\r\n"), name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
