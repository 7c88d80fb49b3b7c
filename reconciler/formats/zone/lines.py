"""A zone file's text as logical entries: what belongs together, and where each word stands (RFC 1035, section 5.1)."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""[ \t]*(?:
      (\r\n|\n|\r)                              # 1 the end of a line
    | (;[^\r\n]*)                               # 2 a comment
    | ([()])                                    # 3 the bracket that joins lines
    | ("(?:[^"\\\r\n]|\\[^\r\n])*")             # 4 a quoted string
    | ((?:[^ \t\r\n;()"\\]|\\[^\r\n])+)         # 5 a word
    | (\Z)                                      # 6 the end of the file
    )""",
    re.VERBOSE,
)
_NEWLINE, _COMMENT, _BRACKET, _QUOTED, _WORD, _END = range(1, 7)


class Span(NamedTuple):
    """Where something stands in the text: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One logical line, its line end included. ``bracket``: from the first ``(`` to the last ``)``.

    ``words`` are words and quoted strings, in their order; an entry without any is blank or a comment.
    """

    span: Span
    line: int
    indented: bool
    words: tuple[Span, ...]
    bracket: Span | None


class LineError(ValueError):
    """The text breaks off at a line, counted from 1."""

    def __init__(self, line: int, reason: str) -> None:
        """Keep where and why."""
        super().__init__(reason)
        self.line = line


def entries_of(text: str) -> tuple[Entry, ...]:
    """The entries, which together are the whole text.

    Raises:
        LineError: a quotation mark or bracket stands alone.

    """
    entries: list[Entry] = []
    words: list[Span] = []
    begin, begin_line, line, depth, position = 0, 1, 1, 0, 0
    opened: tuple[int, int] | None = None  # offset and line of the entry's first bracket
    closed = 0
    for match in _TOKEN.finditer(text):
        if match.start() != position:
            break
        position = match.end()
        kind = match.lastindex
        if kind in {_WORD, _QUOTED}:
            words.append(Span(*match.span(kind)))
        elif kind == _BRACKET:
            depth, closed = depth + (1 if match[3] == "(" else -1), position
            opened = opened or (position - 1, line)
            if depth < 0:
                raise LineError(line, "the bracket ) has no ( before it")
        elif kind == _NEWLINE or (kind == _END and position > begin):
            line += kind == _NEWLINE
            if depth and kind == _NEWLINE:
                continue
            if depth:
                raise LineError(opened[1] if opened else line, "the bracket ( is never closed")
            bracket = Span(opened[0], closed) if opened else None
            indented = text[begin] in " \t"
            entries.append(Entry(Span(begin, position), begin_line, indented, tuple(words), bracket))
            words, begin, begin_line, opened = [], position, line, None
    if position < len(text):
        alone = (
            "quotation mark is never closed" if '"' in text[position : position + 200] else "backslash ends the line"
        )
        raise LineError(line, f"a {alone}")
    return tuple(entries)
