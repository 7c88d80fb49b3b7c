"""What somebody else said, fit to be shown: a server or a library may say anything."""

from typing import Final

_LONGEST_TEXT: Final = 160  # characters of a reply that are worth showing


def one_line(text: str) -> str:
    """Printable, and not too long to be read."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{line[:_LONGEST_TEXT]}…" if len(line) > _LONGEST_TEXT else line
