"""Responses taken apart by imapclient's parser, which the copier does not use."""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from reconciler.mailcopy.imap.wire import Parts

Item: TypeAlias = "bytes | tuple[Item, ...] | None"
"""A string or atom, a parenthesised list, or NIL."""


class Unreadable(ValueError):  # noqa: N818 - says what it is
    """The response is no IMAP; its text is for people."""


def one_list(parts: Parts) -> Sequence[Item]:
    """The parenthesised list that is all of the response.

    Raises:
        Unreadable: it is something else.

    """
    match taken_apart(parts, 0):
        case [tuple(items)]:
            return items
        case _:
            raise Unreadable(printable(parts[0]))


def taken_apart(parts: Parts, start: int) -> Sequence[Item]:
    """The tokens of a response from octet ``start`` of its first part on; every literal is one token.

    Raises:
        Unreadable: there is no making sense of it.

    """
    text = [parts[0][start:], *parts[2::2]]
    chunks: list[Any] = [
        (before + b"{%d}" % len(literal), literal) for before, literal in zip(text, parts[1::2], strict=False)
    ]
    try:
        found = parse_response([*chunks, text[-1].rstrip(b"\r\n")])
    except (ProtocolError, ValueError, IndexError, RecursionError) as error:
        raise Unreadable(printable(b"".join(text))) from error
    return [_item(each) for each in cast("tuple[object, ...]", found)]


def printable(text: bytes) -> str:
    """What the server sent, for people."""
    shown = text.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in shown).split())[:200]


def _item(value: object) -> Item:
    """The parser makes numbers of digits that begin with none; they are written as they came."""
    if isinstance(value, tuple):
        return tuple(_item(each) for each in value)
    if isinstance(value, int):
        return b"%d" % value
    return value if isinstance(value, bytes) else None
