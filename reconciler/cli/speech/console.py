"""Where a command speaks: the result to standard output, the talk to standard error."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from reconciler.errors import ReconcilerError, SpecError
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
            self.out.write(text)
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
        """One line about how it goes."""
        self.err.write(f"{text}\n")
        self.err.flush()

    def complain(self, error: ReconcilerError) -> None:
        """An error, in its own words; of a spec each problem on its own line."""
        for text in error.problems if isinstance(error, SpecError) else (error,):
            self.say(f"{self.talk_style.removed('error:')} {text}")

    def confirm(self, question: str, instead: str) -> bool:
        """Whether a person at a terminal answers with the whole word yes.

        Raises:
            ReconcilerError: nobody can be asked; ``instead`` says what to do then.

        """
        if not self.keyboard.isatty():
            msg = f"standard input is not a terminal, so nobody can be asked: {question} {instead}"
            raise ReconcilerError(msg)
        self.err.write(f"{question} Only 'yes' is accepted: ")
        self.err.flush()
        return self.keyboard.readline().strip() == "yes"

    def _style(self, stream: TextIO) -> Style:
        return Style(color=_wants_color(os.environ, stream) if self.color is None else self.color)


def _wants_color(environment: Mapping[str, str], stream: TextIO) -> bool:
    """NO_COLOR wins over FORCE_COLOR, and both over what the stream is (no-color.org, force-color.org)."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"
