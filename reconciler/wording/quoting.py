"""What somebody else said, fit to be shown: a server or a library may say anything."""

from typing import Final

from reconciler.wording.printable import printable

_LONGEST_TEXT: Final = 160  # characters of a reply that are worth showing


def one_line(text: str) -> str:
    """Printable, and not too long to be read; blanks and line ends are one blank."""
    line = printable(" ".join(text.split()))
    return f"{line[:_LONGEST_TEXT]}…" if len(line) > _LONGEST_TEXT else line
