"""The log: what happens below the results and the talk, for whoever looks for the cause of something.

Modules log under their own names below ``reconciler``; here it is decided where that goes. No secret is ever logged:
the code that logs knows references and names, and reveals nothing.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

LEVELS: Final = ("debug", "info", "warning", "error")
_ROOT: Final = "reconciler"
_FORM: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
_TIME: Final = "%Y-%m-%dT%H:%M:%S"


class _OneLine(logging.Formatter):
    """A line a message, in UTC: what a server says cannot look like a line of ours, or move a terminal's cursor."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name there
        """In UTC."""
        return time.strftime(datefmt or _TIME, time.gmtime(record.created))

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        from reconciler.wording.printable import printable  # noqa: PLC0415 - help does without it

        return printable(super().format(record))


@contextmanager
def kept(level: str | None, file: Path | None) -> Iterator[None]:
    """Send the log to a file (``info`` and above, if nobody says else) or to standard error (``warning`` and above).

    The file is added to, and readable by its owner alone.

    Raises:
        OSError: the file cannot be written.

    """
    logger = logging.getLogger(_ROOT)
    handler = logging.StreamHandler(_opened(file)) if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(_FORM, _TIME) if file or level else _OneLine("%(message)s"))
    before = logger.level
    logger.setLevel((level or ("info" if file else "warning")).upper())
    logger.addHandler(handler)
    last = logging.lastResort
    if last:  # what other libraries say where nobody listens
        last.setFormatter(_OneLine("%(message)s"))
    try:
        yield
    finally:
        if last:
            last.setFormatter(None)
        logger.removeHandler(handler)
        logger.setLevel(before)
        if file:
            handler.stream.close()


def _opened(file: Path) -> TextIO:
    from reconciler.transports.owner_files import open_to_add  # noqa: PLC0415 - help and completion do without it

    return os.fdopen(open_to_add(file), "a", encoding="utf-8", errors="replace")
