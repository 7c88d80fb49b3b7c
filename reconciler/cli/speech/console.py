"""Where a command speaks: the result to standard output, the talk to standard error.

Whatever it is, no other control character than our own line ends and colours goes out here. Who composes lines makes
the values in them printable, so that none holds a line end, or a colour that looks like ours.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from reconciler.errors import ReconcilerError, SpecError
from reconciler.wording.printable import printable, printable_lines, printable_with_colour
from reconciler.wording.style import Style


@dataclass(frozen=True, slots=True)
class Console:
    """The three streams; ``color`` None means: as the environment and the stream say."""

    out: TextIO
    err: TextIO
    keyboard: TextIO
    color: bool | None = None

    @classmethod
    def of_process(cls, *, no_color: bool = False) -> "Console":
        """The streams of the process itself."""
        return cls(sys.stdout, sys.stderr, sys.stdin, color=False if no_color else None)

    @property
    def style(self) -> Style:
        """For the result."""
        return self._style(self.out)

    @property
    def talk_style(self) -> Style:
        """For the talk."""
        return self._style(self.err)

    def result(self, text: str) -> None:
        """What was asked for; complete with its line ends.

        Raises:
            BrokenPipeError: whoever read it has gone.
            ReconcilerError: it could not be written, as on a full disk.

        """
        try:
            self.out.write(_fit(text, self.style))
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            msg = (
                f"standard output cannot be written: {(error.strerror or str(error)).lower()}; what was changed before "
                "stands, and apply goes on from there: send the output elsewhere, and run the same command again"
            )
            raise ReconcilerError(msg) from error

    def say(self, text: str = "") -> None:
        """One line about how it goes, whatever is in it."""
        self._talk(printable(text))

    def complain(self, error: ReconcilerError) -> None:
        """An error, in its own words; of a spec each problem on its own line."""
        for text in error.problems if isinstance(error, SpecError) else (error,):
            self._talk(f"{self.talk_style.removed('error:')} {printable(str(text))}")

    def say_lines(self, text: str) -> None:
        """Several lines, each of which may be somebody else's."""
        self._talk(printable_lines(text))

    def confirm(self, question: str, instead: str) -> bool:
        """Whether a person at a terminal answers with the whole word yes.

        Raises:
            ReconcilerError: nobody can be asked; ``instead`` says what to do then.

        """
        if not self.keyboard.isatty():
            msg = f"standard input is not a terminal, so nobody can be asked: {question} {instead}"
            raise ReconcilerError(msg)
        self.err.write(f"{printable(question)} Only 'yes' is accepted: ")
        self.err.flush()
        return self.keyboard.readline().strip() == "yes"

    def _talk(self, text: str) -> None:
        self.err.write(f"{_fit(text, self.talk_style)}\n")
        self.err.flush()

    def _style(self, stream: TextIO) -> Style:
        return Style(color=_wants_color(os.environ, stream) if self.color is None else self.color)


def _fit(text: str, style: Style) -> str:
    return printable_with_colour(text) if style.color else printable_lines(text)


def _wants_color(environment: Mapping[str, str], stream: TextIO) -> bool:
    """NO_COLOR wins over FORCE_COLOR, and both over what the stream is (no-color.org, force-color.org)."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"
