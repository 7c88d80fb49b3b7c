"""Read a text file that a person has written, or say what is wrong with it."""

import errno
import os
import re
from pathlib import Path
from typing import Final

from reconciler.errors import Problem, SpecError

_LARGEST: Final = 64 * 2**20  # octets; fifty thousand mailboxes take about ten million
_BOM: Final = "\ufeff"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_TODO: Final = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path: a part of it is a file and no directory",
    errno.EISDIR: "name the file itself",
    errno.EACCES: "run as a user who may read it",
    errno.ELOOP: "mend the symbolic links: they lead in a circle",
}
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_text(path: Path) -> str:
    """The text without its byte order mark; line ends stay as they are.

    Raises:
        SpecError: there is no such file, it cannot be read, or it is not UTF-8 text. Nothing of it is quoted.

    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            octets = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise SpecError(Problem(str(path), 0, 0, f"cannot be read: {_reason(error)}")) from None
    if len(octets) > _LARGEST:
        raise SpecError(Problem(str(path), 0, 0, f"is larger than {_LARGEST >> 20} MiB: is it the right file?"))
    if octets.startswith(_UTF16_BOMS):
        raise SpecError(Problem(str(path), 0, 0, "is UTF-16: save it as UTF-8"))
    whole = octets.decode("utf-8", errors="replace")
    sound = octets.decode("utf-8", errors="ignore")
    if len(sound) != len(whole):
        offset = next(i for i, (a, b) in enumerate(zip(whole, f"{sound}\0", strict=False)) if a != b)
        raise SpecError(_at(path, whole, offset, "is not UTF-8 from here on: save the file as UTF-8"))
    control = _CONTROL.search(sound)
    if control:
        raise SpecError(_at(path, sound, control.start(), "a control character stands here: remove it"))
    return sound.removeprefix(_BOM)


def lines_of(text: str) -> list[str]:
    """The lines without their ends, in the count that Problem uses."""
    return _LINE_END.split(text)


def _at(path: Path, text: str, offset: int, message: str) -> Problem:
    before = lines_of(text[:offset].removeprefix(_BOM))
    return Problem(str(path), len(before), len(before[-1]) + 1, message)


def _without_waiting(path: str, flags: int) -> int:
    """A pipe is read to its end; one that nobody writes into is empty, where opening it would wait for ever."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _reason(error: OSError | ValueError) -> str:
    """A path with a NUL in it is a ValueError, and has no strerror."""
    if not isinstance(error, OSError):
        return "it is no path"
    reason = (error.strerror or type(error).__name__).lower()
    return f"{reason}; {_TODO.get(error.errno or 0, 'mend that')}"
