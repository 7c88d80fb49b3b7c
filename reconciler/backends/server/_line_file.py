"""Text files with one entry a line: read once, edited line by line, every other byte left as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from threading import Lock
from typing import Final, Generic, TypeVar

from reconciler.errors import ObserveError
from reconciler.ports import Transport

HEADER: Final = "# made by reconciler"

T = TypeVar("T")


class Text:
    """The lines of one file, without their ends; empty for a file that does not exist.

    Text is UTF-8; other octets survive a rewrite unharmed (PEP 383). A missing end of the last line stays missing.

    Raises:
        ObserveError: a line ends in CRLF, which Dovecot and Postfix would take for a part of the last value; or there
            are NUL octets, which is what a crash leaves of a half-written file.

    """

    def __init__(self, path: PurePath, content: bytes | None) -> None:
        """Cut the content into lines."""
        self.path = path
        self.content = content
        self.lines = (content or b"").decode("utf-8", "surrogateescape").split("\n")
        self.ended = self.lines[-1] == ""
        if self.ended:
            self.lines.pop()
        if content and b"\r" in content:
            for index, line in enumerate(self.lines):
                if line.endswith("\r"):
                    raise self.error(
                        index,
                        "the line ends in CRLF, and the mail server takes the carriage return for a part of the last "
                        f"value; make the line ends plain: sed -i 's/\\r$//' {path}",
                    )
        if content and b"\0" in content:
            index = next(i for i, line in enumerate(self.lines) if "\0" in line)
            raise self.error(index, "there are NUL octets: the file is damaged; restore it from a backup")

    def error(self, index: int, message: str) -> ObserveError:
        """An error at a line, as editors can jump to it."""
        return ObserveError(f"{self.path}:{index + 1}: {message}")


class Edit:
    """Changes to a Text. Lines are named by their index in it, whatever was changed before."""

    def __init__(self, text: Text) -> None:
        """Begin with no change."""
        self._text = text
        self._replaced: dict[int, list[str]] = {}
        self._inserted: dict[int, list[str]] = {}
        self._appended: list[str] = []

    def replace(self, index: int, *lines: str) -> None:
        """Put other lines, or none, in the place of one."""
        self._replaced[index] = list(lines)

    def insert(self, index: int, *lines: str) -> None:
        """Put lines before one; those inserted first stay first."""
        self._inserted.setdefault(index, []).extend(lines)

    def append(self, *lines: str) -> None:
        """Put lines at the end."""
        self._appended.extend(lines)

    def content(self) -> bytes | None:
        """The new content; None where nothing but our header would be left, so that the file should go.

        A new file begins with the header.
        """
        lines = [] if self._text.content is not None else [HEADER]
        if self._replaced or self._inserted:
            for index, line in enumerate(self._text.lines):
                lines += self._inserted.get(index, ())
                lines += self._replaced.get(index, (line,))
        else:
            lines += self._text.lines
        lines += self._appended
        if lines == [HEADER]:
            return None
        text = "\n".join(lines) + ("\n" if lines and self._text.ended else "")
        return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    """The last reading: the signature that the file had just before, its content, and what that says."""

    signature: tuple[int, ...] | None
    content: bytes | None
    parsed: T


class LineFile(Generic[T]):
    """One file and what it says, parsed again only when it has changed."""

    def __init__(
        self, transport: Transport, path: PurePath, parse: Callable[[Text], T], *, must_exist: bool = False
    ) -> None:
        """Name the file; ``must_exist``: a missing one is an error and not an empty one."""
        self.transport = transport
        self.path = path
        self._parse = parse
        self._must_exist = must_exist
        self._known: _Known[T] | None = None
        self._lock = Lock()  # several stores read one file, each in a thread of its own

    def read(self) -> T:
        """What the file says; not read again as long as its signature stays the same.

        Raises:
            ObserveError: it cannot be read or makes no sense; the message has the line.

        """
        with self._lock:
            found = self.transport.stat(self.path)
            signature = found.signature if found else ()
            if self._known is None or signature != self._known.signature:
                # taken before the content: a change in between is seen the next time
                self._known = self._look(signature)
            return self._known.parsed

    def fresh(self) -> T:
        """What the file says, its octets read again: for a write that must not trust a clock's resolution.

        Raises:
            ObserveError: as for ``read``.

        """
        with self._lock:
            self._known = self._look(self._known.signature if self._known else None)
            return self._known.parsed

    def _look(self, signature: tuple[int, ...] | None) -> "_Known[T]":
        content = self.transport.read(self.path)
        if content is None and (target := self.transport.read_links([self.path]).get(self.path)):
            raise ObserveError(
                f"{self.path} is a symbolic link to {target}, and nothing is there: is a disk not mounted? Writing "
                "through it would make a second file; mend the link, or make an empty file there, and plan again"
            )
        if content is None and self._must_exist:
            raise ObserveError(
                f"{self.path} does not exist, so nothing can be said of what the server holds; "
                "mend the path in the options, or make an empty file if there really is nothing"
            )
        if self._known and content == self._known.content:
            return _Known(signature, content, self._known.parsed)
        return _Known(signature, content, self._parse(Text(self.path, content)))
