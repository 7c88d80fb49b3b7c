"""The judge's connection: one command at a time, and a folder is open before anything is asked of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.imap.session import Session, session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model.refusal import Meaning, meaning

_MOST_CUTS = 100
"""Connections that may be lost in one comparison; a server that ends more of them has another trouble."""

_ID = b'ID ("name" "reconciler")'


class Said(NamedTuple):
    """How a command ended, in the server's words; ``cut``: it ended the connection."""

    ok: bool
    words: str
    cut: bool = False


class Connection:
    """One server, logged in while it is entered. ``said`` tells how the last command ended.

    A connection that is cut is made anew and the command said once more. If that one cuts it as well, the cut is an
    answer: the server says no, and the judge goes on with something else.
    """

    session: Session

    def __init__(self, end: Endpoint) -> None:
        """Nothing is opened yet."""
        self._end = end
        self._stack = ExitStack()
        self._cuts = 0
        self._anonymous = False
        self._open: bytes | None = None
        self.said = Said(ok=True, words="")

    def __enter__(self) -> Self:
        """Log in.

        Raises:
            MailError: the server does not let us in.

        """
        self.session = self._stack.enter_context(session(self._end.server, self._end.login))
        self._open = None
        if self.session.can("ID") and not self._anonymous:  # some open no folder to who has not said it (RFC 2971)
            self.identify()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self._stack.__exit__(kind, error, trace)

    def __str__(self) -> str:
        """For people."""
        return f"{self.session.user} on {self.session.server}"

    def identify(self) -> None:
        """Say who asks; what the server says to that does not matter, and one that hangs up at it is told no more."""
        try:
            for _ in self._told(_ID):
                pass
        except (ConnectionCut, ProtocolBroken) as error:
            self._anonymous = True
            self._begin_again(error)

    def ask(self, command: bytes, raw: bytes | None = None, *, tries: int = 2) -> Iterator[Parts]:
        """The responses to a command, with a folder open if it is about one.

        ``tries``: 1 where a larger part of the same has cut the connection before.

        Where the folder is opened for it, what the server tells of it comes first; if it will not be opened, that is
        how the command ended.

        Raises:
            MailError: the server wants a pause, or does not let us in again.

        """
        words = ""
        for _ in range(tries):
            try:
                if raw is not None:
                    yield from self.open(raw)
                    if self._open != raw:
                        return
                yield from self._told(command)
            except (ConnectionCut, ProtocolBroken) as error:
                words = str(error)
                self._begin_again(error)
            else:
                return
        self.said = Said(ok=False, words=words, cut=True)

    def open(self, raw: bytes, *, again: bool = False) -> Iterator[Parts]:
        """What the server tells of a folder when it opens it; nothing where it is open already, unless ``again``."""
        if self._open == raw and not again:
            return
        words = ""
        for _ in range(2):
            self._open = None
            try:
                yield from self._told(b"EXAMINE " + quoted(raw))
            except (ConnectionCut, ProtocolBroken) as error:
                words = str(error)
                self._begin_again(error)
            else:
                self._open = raw if self.said.ok else None
                return
        self.said = Said(ok=False, words=words, cut=True)

    def select(self, raw: bytes) -> Iterator[Parts]:
        """As ``open``, to see what flags the folder keeps, which EXAMINE need not tell (RFC 3501, section 6.3.2)."""
        self._open = None
        yield from self.ask(b"SELECT " + quoted(raw))

    def _told(self, command: bytes) -> Iterator[Parts]:
        tag = self.session.wire.command(command)
        for response in self.session.wire.until(tag):
            if isinstance(response, list):
                yield response
            elif isinstance(response, Answer) and response.tag == tag:
                self.said = Said(response.ok, response.words or ("" if response.ok else "refused without a word"))

    def _begin_again(self, error: ConnectionCut | ProtocolBroken) -> None:
        self._cuts += 1
        words = error.words if isinstance(error, ConnectionCut) else ""
        if self._cuts > _MOST_CUTS or meaning(words) in {Meaning.SLOW_DOWN, Meaning.USED_UP}:
            raise error
        self._stack.close()
        self.__enter__()


def quoted(name: bytes) -> bytes:
    """A folder's name in a command, as a quoted string (RFC 3501, section 9)."""
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
