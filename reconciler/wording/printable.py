r"""What may be shown as it is, and what else stands in its place: decided here, for every format and every sink.

A server, a zone, a file, a spec and a journal can say anything. Shown as it is, that could move a terminal's cursor or
set its title (C0, DEL and C1, ECMA-48), turn the reading order round (UAX #9, section 2), or begin a line that looks
like ours. Such characters are shown as the escapes that Python and JSON know: ``\x1b``, ``\n``, ``\u202e``.
"""

import re
from typing import Final

from reconciler.wording.style import CODES

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OWN_COLOUR: Final = re.compile(f"(\x1b\\[(?:{'|'.join(CODES)})m)")


def printable(text: str) -> str:
    """A value on one line: every character that Unicode does not call printable is an escape, line ends too.

    Those are controls, formats (bidi controls, marks without width), line and paragraph separators, surrogates, private
    and unassigned characters, and every blank but U+0020.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Lines of ours, in which values are printable already: nothing but their line ends is let through besides."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def printable_with_colour(text: str) -> str:
    """As ``printable_lines``, with the colours of ``Style`` as they are; values must be printable before."""
    return "".join(part if number % 2 else printable_lines(part) for number, part in enumerate(_OWN_COLOUR.split(text)))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number <= 0xFF:  # noqa: PLR2004 - what two digits hold
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - what four digits hold
