"""The commands of a login, one at a time, with whatever octets their arguments have (RFC 3501, sections 2.2 and 4.3).

imaplib quotes and encodes in its own way, keeps what it has sent for its debug log, and shows what a server says in
Python's spelling of bytes. Here each octet goes out as it is meant, nothing is kept, and words stay words. It goes
through imaplib's documented ``send``, ``readline`` and ``read``.
"""

import contextlib
import imaplib
import re
from collections.abc import Callable
from typing import Final, NamedTuple

_TAGGED: Final = re.compile(rb"(L\d+) (OK|NO|BAD)(?: (.*))?\Z", re.IGNORECASE | re.DOTALL)
_LITERAL: Final = re.compile(rb"\{(\d+)\+?\}\Z")
_CAPABILITIES: Final = re.compile(
    rb"\* CAPABILITY (.*)\Z|(?:\S+) OK \[CAPABILITY ([^\]]*)\]", re.IGNORECASE | re.DOTALL
)
_BYE: Final = re.compile(rb"\* BYE\b ?(.*)", re.IGNORECASE | re.DOTALL)
_QUOTABLE: Final = re.compile(rb"[\x20-\x7e]*\Z")
_SMALL: Final = 4096  # octets of a literal without a go-ahead, where LITERAL- is all there is (RFC 7888, section 5)
_LONGEST: Final = 1_000_000
_PATIENCE_FOR_BYE: Final = 1.0
_CANCEL: Final = b"*"  # RFC 3501, section 6.2.2

Challenged = Callable[[bytes], bytes]
"""What to say to a challenge, which stands behind ``+`` and a space."""


class Reply(NamedTuple):
    """The tagged end of a command; ``words`` with the response code, as the server wrote them."""

    status: str
    words: str

    @property
    def ok(self) -> bool:
        """Whether the server did it."""
        return self.status == "OK"


class HungUp(OSError):  # noqa: N818
    """The server ended the connection; the message is what it said, or what the system says."""


class Dialogue:
    """``announced``: capabilities in upper case; what the server announces later takes their place."""

    def __init__(self, imap: imaplib.IMAP4, announced: frozenset[str]) -> None:
        """Use the connection, which does nothing else meanwhile."""
        self._imap, self._number, self._challenge = imap, 0, b""
        self.announced, self.is_fresh = announced, False

    def ask(self, *parts: bytes, strings: tuple[bytes, ...] = (), challenged: Challenged | None = None) -> Reply:
        """Send a command: its words, then these strings, quoted or, where quotes do not hold them, as literals.

        Raises:
            HungUp: the connection is gone.

        """
        self._number += 1
        tag = b"L%d" % self._number
        line = b" ".join((tag, *parts))
        for string in strings:
            if _QUOTABLE.match(string):
                line += b' "' + string.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
            elif self._needs_no_go_ahead(string):
                line += b" {%d+}\r\n" % len(string) + string
            else:
                self._send(line + b" {%d}\r\n" % len(string))
                if reply := self._reply(tag):
                    return reply
                line = string
        self._send(line + b"\r\n")
        while (reply := self._reply(tag)) is None:
            self._send((challenged(self._challenge) if challenged else _CANCEL) + b"\r\n")
        return reply

    def capabilities(self) -> frozenset[str]:
        """As they are now; asked for, unless the server has told them since the first command.

        Raises:
            HungUp: the connection is gone.

        """
        if not self.is_fresh:
            self.ask(b"CAPABILITY")
        return self.announced

    def _needs_no_go_ahead(self, string: bytes) -> bool:
        return "LITERAL+" in self.announced or ("LITERAL-" in self.announced and len(string) <= _SMALL)

    def _reply(self, tag: bytes) -> Reply | None:
        """The end of the command; None where the server waits for more of it."""
        while True:
            line = self._line()
            if line[:1] == b"+":
                self._challenge = line[1:].removeprefix(b" ")
                return None
            if told := _CAPABILITIES.match(line):
                words = (told[1] or told[2] or b"").decode("ascii", "replace").upper().split()
                self.announced, self.is_fresh = frozenset(words), True
            if bye := _BYE.match(line):
                raise HungUp(_words(bye[1]) or "closed without a word")
            if (ended := _TAGGED.match(line)) and ended[1] == tag:
                return Reply(ended[2].decode().upper(), _words(ended[3] or b""))
            while literal := _LITERAL.search(line):
                self._skip(int(literal[1]))
                line = self._line()

    def _skip(self, octets: int) -> None:
        if octets > _LONGEST:
            raise HungUp(f"the server sends {octets:,} octets, which no login needs")
        if len(self._imap.read(octets)) < octets:
            raise HungUp("the server closed the connection")

    def _line(self) -> bytes:
        try:
            line = self._imap.readline()
        except (OSError, imaplib.IMAP4.error) as error:
            raise HungUp(_system(error)) from error
        if not line.endswith(b"\n"):
            raise HungUp("the server closed the connection")
        return bytes(line).rstrip(b"\r\n")

    def _send(self, octets: bytes) -> None:
        why = ""
        try:
            self._imap.send(octets)
        except OSError as error:
            why = _system(error)
        if why:
            raise HungUp(self._last_words() or why)

    def _last_words(self) -> str:
        """What the server said before it closed the connection that we found closed."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error, ValueError):
            self._imap.socket().settimeout(_PATIENCE_FOR_BYE)
            while line := self._imap.readline():
                if bye := _BYE.match(bytes(line).rstrip(b"\r\n")):
                    return _words(bye[1])
        return ""


def _words(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _system(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the server does not answer"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
