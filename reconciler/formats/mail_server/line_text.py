"""Texts with one entry a line: cut into lines, edited line by line, every other octet left as it was."""

from pathlib import PurePath
from typing import Final

from reconciler.errors import ObserveError

HEADER: Final = "# made by reconciler"


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

    @property
    def over(self) -> bytes | None:
        """The content that is edited; None for a file that does not exist."""
        return self._text.content

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
