"""Files with one entry a line: read once, and parsed again only when they have changed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePath
from threading import Lock
from typing import Any, Generic, TypeVar

from reconciler.errors import ObserveError
from reconciler.formats.mail_server.line_text import Text
from reconciler.ports import Transport

T = TypeVar("T")


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

    def locked(self, *others: "LineFile[Any]") -> AbstractContextManager[None]:
        """Hold the lock of this file, and of others of its machine, against everybody who takes it."""
        return self.transport.locked([file.path for file in (self, *others)])

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
