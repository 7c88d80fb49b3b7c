"""The text of Sieve scripts: cut into its top-level pieces, so that one rule can change and no other byte does.

The cutting follows the generic grammar, which every extension keeps (RFC 5228, section 8.2); whether a script means
anything is for ``problems`` to say.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from sievelib.parser import Parser

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<comment>\#[^\n]*)
    | (?P<comment_in_brackets>/\*.*?\*/)
    | (?P<text>text:[\ \t]*(?:\#[^\n]*)?\r?\n(?:(?!\.\r?(?:\n|\Z))[^\n]*\n)*\.\r?(?=\n|\Z))
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<word>:?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+[KMGkmg]?)
    | (?P<mark>[][(){},;])
    """,
    re.VERBOSE | re.DOTALL,
)
_BRANCHES: Final = ("elsif", "else")
_OPENING: Final = {"}": "{", ")": "(", "]": "["}


class Piece(NamedTuple):
    """A top-level comment or command; ``word`` is the command's identifier in lower case, empty for a comment.

    ``start`` and ``end`` are offsets into the content. An ``if`` reaches to the end of its last branch.
    """

    word: str
    start: int
    end: int


def pieces(content: str) -> tuple[Piece, ...]:
    """The comments and commands of a script, in their order.

    Raises:
        ValueError: a string, comment, bracket or command does not end, or there is something that is no token.

    """
    found: list[Piece] = []
    brackets: list[str] = []
    word, start = "", -1
    for kind, text, position in _tokens(content):
        if kind.startswith("comment"):
            if start < 0:
                found.append(Piece("", position, position + len(text.rstrip("\r"))))
            continue
        if start < 0:
            if kind != "word" or text.startswith(":"):
                raise ValueError(_where(content, position, f"{text!r} stands where a command begins"))
            word, start = text.lower(), position
        if text in _OPENING.values():
            brackets.append(text)
        elif text in _OPENING and (not brackets or brackets.pop() != _OPENING[text]):
            raise ValueError(_where(content, position, f"{text} closes what was not opened"))
        if text in {";", "}"} and not brackets:
            found = _with_command(found, Piece(word, start, position + 1))
            start = -1
    if start >= 0 or brackets:
        raise ValueError(_where(content, max(start, 0), f"{word} does not end"))
    return tuple(found)


def tokens(content: str) -> tuple[str, ...]:
    """The tokens of a text, comments among them, without the blanks between.

    Raises:
        ValueError: there is something that is no token.

    """
    return tuple(text.rstrip("\r") for _, text, _ in _tokens(content))


@lru_cache(maxsize=2**15)  # a plan asks for each script several times, and the library takes its time
def problems(content: str) -> str | None:
    """Why a script must not be sent to a server: what the Sieve library finds wrong, with its line; None if nothing.

    The library knows fewer extensions than servers do, so a refused script need not be a broken one.
    """
    try:
        pieces(content)
    except ValueError as error:
        return str(error)
    parser = Parser()
    return None if parser.parse(content.encode()) else str(parser.error)


def line_end(content: str) -> str:
    """The line end that a script uses; CRLF for one without lines, as the standard has it (RFC 5228, section 2.2)."""
    return "\n" if "\n" in content and "\r\n" not in content else "\r\n"


def line_after(content: str, position: int) -> int:
    """The start of the next line if nothing but blanks follows on this one, else the position itself."""
    blank = re.compile(r"[ \t]*(?:\r?\n|\Z)").match(content, position)
    return blank.end() if blank else position


def _tokens(content: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(content):
        token = _TOKEN.match(content, position)
        if token is None:
            raise ValueError(_where(content, position, f"{content[position]!r} begins nothing that Sieve knows"))
        if token.lastgroup and token.lastgroup != "space":
            yield token.lastgroup, token[0], position
        position = token.end()


def _with_command(found: list[Piece], command: Piece) -> list[Piece]:
    """An ``elsif`` or ``else`` belongs to the command before it, with the comments between them."""
    if command.word not in _BRANCHES:
        return [*found, command]
    last = max((n for n, piece in enumerate(found) if piece.word), default=-1)
    if last < 0:
        return [*found, command]
    return [*found[:last], found[last]._replace(end=command.end)]


def _where(content: str, position: int, message: str) -> str:
    return f"line {content.count(chr(10), 0, position) + 1}: {message}"
