"""All or nothing over several files: what was written is put back when a later write fails.

Whoever changes a file of a server holds its lock from the reading on until the attempt is over, its undo included: see
``stores.under_lock``. What somebody writes meanwhile who knows nothing of the lock is never overwritten.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from types import TracebackType
from typing import Self

from reconciler.errors import ReconcilerError, StalePlan, WriteError
from reconciler.ports import WHATEVER, Stat, Transport, Whatever


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

    def write(
        self,
        path: PurePath,
        content: bytes | None,
        *,
        like: Stat | None = None,
        mode: int = 0o640,
        over: bytes | Whatever | None = WHATEVER,
    ) -> None:
        """Replace a file, or remove it where the content is None.

        ``over`` is the content that the new one was made from; if silent, what stands now.

        Raises:
            StalePlan: something else stands there; this file is left as it is.

        """
        stood = self._transport.read(path) if isinstance(over, Whatever) else over
        if content is None:
            self.remove(path, over=stood)
            return
        self._undo.append(lambda: self._take_back(path, content, stood))
        try:
            self._transport.write(path, content, like=like, mode=mode, over=stood)
        except StalePlan:
            self._undo.pop()  # what stands there is somebody else's
            raise

    def remove(self, path: PurePath, *, over: bytes | Whatever | None = WHATEVER) -> None:
        """Remove a file or a symbolic link, if it is there; ``over`` is what it is taken to hold.

        Raises:
            StalePlan: it holds something else.

        """
        stood = self._transport.read(path)
        if not isinstance(over, Whatever) and stood != over:
            raise StalePlan(f"{path} was changed by somebody else after it was read, so it is not removed; plan again")
        target = self._transport.read_links([path]).get(path)
        if target is not None:
            self._undo.append(lambda: self._transport.link(path, target))
        elif stood is not None:
            stat = self._transport.stat(path)
            self._undo.append(lambda: self._restore(path, stood, stat))
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

    def _take_back(self, path: PurePath, written: bytes, stood: bytes | None) -> None:
        """Only where our content stands: what somebody has made of it since is theirs."""
        stands = self._transport.read(path)
        if stands == stood:  # the write that failed has left it alone
            return
        if stands != written:
            raise WriteError(f"{path} was changed by somebody else meanwhile, and is left as it is")
        if stood is None:
            self._transport.remove(path)
        else:
            self._transport.write(path, stood, over=written)

    def _restore(self, path: PurePath, stood: bytes, stat: Stat | None) -> None:
        """Only where nothing has come into the place of what was removed."""
        stands = self._transport.read(path)
        if stands is None:
            self._transport.write(path, stood, like=stat, over=None)
        elif stands != stood:
            raise WriteError(f"{path} was made by somebody else meanwhile, and is left as it is")

    def _put_back(self, path: PurePath, content: bytes | None, stat: Stat | None) -> None:
        if content is None:
            self._transport.remove(path)
        elif self._transport.read(path) != content:  # the write that failed has left it alone
            self._transport.write(path, content, like=stat)
