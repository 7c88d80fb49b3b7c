"""Colour for terminals, as ANSI escapes (ECMA-48, section 8.3.117); whoever makes a Style decides whether to use it."""

from dataclasses import dataclass
from typing import Final

_END, _BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE = "0", "1", "2", "31", "32", "33", "34"
CODES: Final = (_END, _BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE)
"""Every code that a Style writes."""


@dataclass(frozen=True, slots=True)
class Style:
    """Meanings instead of colours; without colour every text stays as it is."""

    color: bool = False

    def heading(self, text: str) -> str:
        """The name of a part."""
        return self._paint(text, _BOLD)

    def faint(self, text: str) -> str:
        """What may be skipped."""
        return self._paint(text, _DIM)

    def made(self, text: str) -> str:
        """Something appears, or is right."""
        return self._paint(text, _GREEN)

    def changed(self, text: str) -> str:
        """Something changes, or wants attention."""
        return self._paint(text, _YELLOW)

    def removed(self, text: str) -> str:
        """Something goes, or is wrong."""
        return self._paint(text, _RED)

    def waiting(self, text: str) -> str:
        """Something has its time still to come."""
        return self._paint(text, _BLUE)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[{_END}m" if self.color and text else text
