"""All or nothing over several files: what was written is put back when a later write fails."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from types import TracebackType
from typing import Self

from reconciler.errors import ReconcilerError, WriteError
from reconciler.ports import Stat, Transport


class Attempt:
    """A context in which files change together: an exception, Ctrl-C too, puts back those that did."""

    def __init__(self, transport: Transport) -> None:
        """Begin with nothing to put back."""
        self._transport = transport
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Self:
        """Nothing happens yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put everything back if there was an exception, the last change first.

        Raises:
            WriteError: something could not be put back; names every such file.

        """
        if error is None:
            return
        failures = []
        for undo in reversed(self._undo):
            try:
                undo()
            except ReconcilerError as failure:
                failures.append(str(failure))
        if failures:
            raise WriteError(
                f"{error}; and what had been written before that could not be put back, so look at it by hand: "
                + "; ".join(failures)
            ) from error

    def write(self, path: PurePath, content: bytes | None, *, like: Stat | None = None, mode: int = 0o640) -> None:
        """Replace a file, or remove it where the content is None."""
        if content is None:
            self.remove(path)
            return
        stood = self._transport.read(path)
        self._undo.append(lambda: self._put_back(path, stood, None))
        self._transport.write(path, content, like=like, mode=mode)

    def remove(self, path: PurePath) -> None:
        """Remove a file or a symbolic link, if it is there."""
        target = self._transport.read_links([path]).get(path)
        if target is not None:
            self._undo.append(lambda: self._transport.link(path, target))
        else:
            self.keep(path)
        self._transport.remove(path)

    def link(self, path: PurePath, target: str) -> None:
        """Make or replace a symbolic link."""
        stood = self._transport.read_links([path]).get(path)
        self._undo.append(lambda: self._transport.remove(path) if stood is None else self._transport.link(path, stood))
        self._transport.link(path, target)

    def keep(self, path: PurePath) -> None:
        """Put a file back as it is now, whatever a program makes of it."""
        stat = self._transport.stat(path)
        stood = self._transport.read(path)
        self._undo.append(lambda: self._put_back(path, stood, stat))

    def run(self, argv: Sequence[str], *, again: bool = False) -> None:
        """Run a program that looks at the files; with ``again``, once more after they have been put back."""
        self._transport.run(argv)
        if again:
            self._undo.insert(0, lambda: self._transport.run(argv))

    def _put_back(self, path: PurePath, content: bytes | None, stat: Stat | None) -> None:
        if content is None:
            self._transport.remove(path)
        elif self._transport.read(path) != content:  # the write that failed has left it alone
            self._transport.write(path, content, like=stat)
