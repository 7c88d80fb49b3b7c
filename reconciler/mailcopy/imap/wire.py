"""The connection in its bulk phases: own tags, commands ahead of their answers, literals read and written as they are.

It goes through imaplib's documented ``send``, ``socket`` and ``shutdown``; imaplib and imapclient do the rest
(connecting, TLS, login). What it speaks, and where:

* RFC 3501: LIST, LSUB, STATUS, CREATE, SUBSCRIBE, EXAMINE, SELECT, UID FETCH, UID STORE, APPEND, LOGOUT. Commands are
  sent ahead of answers as far as section 5.5 allows: rows are told apart by UID, folders by the tagged answer to
  EXAMINE. No command that removes a message or a folder is ever formed.
* RFC 7888: LITERAL+ and LITERAL- (up to 4096 octets). The first literal of each batch is synchronising all the same,
  so that arguments which the server refuses are refused before a message is on the wire. An answer BAD to a message
  closes the socket at once: what would follow could be read as commands. BAD to any other command is a refusal.
* RFC 3502: MULTIAPPEND, with section 6.3.11's rule that a batch is stored as a whole or not at all.
* RFC 5819: LIST-STATUS, with RFC 5258's RETURN (SUBSCRIBED) and RFC 6154's SPECIAL-USE.
* RFC 7162: HIGHESTMODSEQ in STATUS and EXAMINE, and FETCH with CHANGEDSINCE. No QRESYNC: what vanished on the source
  stays on the target.
* RFC 2971: ID, without waiting for its answer: some servers open no folder before it. RFC 2342: NAMESPACE. RFC 4315:
  APPENDUID. RFC 8438: SIZE in STATUS. Gmail's X-GM-MSGID and X-GM-LABELS in FETCH, and Dovecot's X-MAILBOX.
* RFC 4978: COMPRESS is not used: Dovecot deflates 28 MB/s, which pays below 200 Mbit/s only.
* RFC 6855: UTF8=ACCEPT is not enabled, so names stay in modified UTF-7 on every server.

Each extension is used where the server announces it after the login. Tested as source and as target with Dovecot 2.3
and Cyrus 3.6, which have all but LITERAL- and Gmail's, and with Courier 5.0, which has NAMESPACE and UIDPLUS only
(tests/mailcopy/imap/test_other_servers.py).
"""

import contextlib
import imaplib
import re
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from reconciler.errors import ConnectionCut, LoginRefused, ProtocolBroken
from reconciler.mailcopy.model.refusal import throttled

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_TEXT_FOLLOWS = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)
_TAGGED = re.compile(rb"(R\d+) (OK|NO|BAD)(?: (.*))?\r?\n?\Z", re.IGNORECASE | re.DOTALL)

_BUFFER = 256 * 1024
"""Octets taken from the kernel in one call: a dozen messages."""

_LONGEST_LINE = 10_000_000
"""Octets; longer is no line of text. imaplib stops at a tenth of it, which a SEARCH in a big folder passes."""

_LONGEST_WORDS = 1000
"""Octets of a server's words that are kept."""

_NO_MAILBOX = re.compile(r"authenticated but not connected", re.IGNORECASE)
"""Exchange Online, to the first command after AUTHENTICATE was OK: no licence, IMAP off, or no FullAccess."""

_OPENING = (b"EXAMINE ", b"SELECT ")
"""A NO to these that asks for a pause is said to the connection, not to one message."""

_PATIENCE_FOR_BYE = 0.5  # seconds: what a server said before it hung up has arrived by then, or was lost

Parts = list[bytes]
"""One untagged response: text and literals, by turns."""


class Answer(NamedTuple):
    """The tagged end of a command; ``words`` with the response code. ``bad``: it was not understood."""

    tag: bytes
    ok: bool
    words: str
    bad: bool = False


class GoAhead(NamedTuple):
    """The server waits for a synchronising literal."""


Response = Parts | Answer | GoAhead


class Wire:
    """One logged-in connection; ``peer`` names it for people.

    ``serial``: each command waits for its answer, for servers that lose or refuse what is sent ahead of one.
    """

    def __init__(self, imap: imaplib.IMAP4, peer: str) -> None:
        """Take the connection over, and turn off the debug mode of imapclient that formats every body twice."""
        imap.debug = 0
        self._imap = imap
        self._file = imap.socket().makefile("rb", _BUFFER)
        self._number = 0
        self._open: set[bytes] = set()
        self._opening: set[bytes] = set()
        self._aside: set[bytes] = set()
        self._heard: deque[Response] = deque()
        self.serial = False
        self.peer = peer

    def tag(self) -> bytes:
        """A fresh tag, for a command with a message in it: an answer BAD to that one ends the connection."""
        self._number += 1
        return b"R%d" % self._number

    def send(self, *chunks: bytes | memoryview) -> None:
        """Put octets on the wire.

        Raises:
            ConnectionCut: the connection is gone.

        """
        try:
            for chunk in chunks:
                self._imap.send(chunk)
        except (OSError, ssl.SSLError) as error:
            raise self._closed_with(said) if (said := self._last_words()) else self._cut(error) from error

    def command(self, text: bytes) -> bytes:
        """Send a command without a message in it and give its tag."""
        while self.serial and self._open:
            self._heard.append(self._next())
        tag = self.tag()
        self._open.add(tag)
        if text.startswith(_OPENING):
            self._opening.add(tag)
        self.send(tag + b" " + text + b"\r\n")
        self.acknowledge()
        while self.serial and tag in self._open:
            self._heard.append(self._next())
        return tag

    def aside(self, text: bytes) -> None:
        """Send a command whose answer nobody waits for."""
        self._aside.add(self.command(text))

    def read(self) -> Response:
        """The next response.

        Raises:
            ConnectionCut: the connection is gone, the server said BYE, or wants a pause before a folder is opened.
            ProtocolBroken: the server answered BAD to a message; the socket is closed.
            LoginRefused: the login that it took opens no mailbox.

        """
        while True:
            response = self._heard.popleft() if self._heard else self._next()
            if not (isinstance(response, Answer) and response.tag in self._aside):
                return response
            self._aside.discard(response.tag)

    def _next(self) -> Response:
        line = self._line()
        if line[:2] != b"* ":
            return GoAhead() if line[:1] == b"+" else self._answer(line)
        if not line[2:3].isdigit() and _TEXT_FOLLOWS.match(line):
            if line[2:5].upper() == b"BYE":
                raise self._closed_with(_words(line[5:]))
            return [line]
        parts = []
        while line[-3:] == b"}\r\n" and (match := _LITERAL.search(line)):
            parts += [line[: match.start()], self._octets(int(match[1]))]
            line = self._line()
        parts.append(line)
        return parts

    def until(self, *tags: bytes) -> Iterator[Response]:
        """The responses until all these commands are answered, which may happen in any order."""
        open_tags = set(tags)
        while open_tags:
            response = self.read()
            if isinstance(response, Answer):
                open_tags.discard(response.tag)
            yield response

    def acknowledge(self) -> None:
        """Confirm at once what was received.

        A server that has two short things to say may hold the second back until then (Nagle), and a kernel waits up to
        40 ms: with a go-ahead for each message, or with small folders, that is most of the time (Courier).
        """
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._imap.socket().setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def close(self) -> None:
        """Close the socket; nothing more is sent."""
        self.hang_up()
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._imap.shutdown()

    def hang_up(self) -> None:
        """End the connection under a thread that may be waiting for it, which then hears that it was lost."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._imap.socket(), socket.SHUT_RDWR)  # TLS's own would drop its state under a read

    def leave(self) -> None:
        """Say LOGOUT and go; the answer would cost a round trip and say nothing."""
        with contextlib.suppress(ConnectionCut):
            self.send(self.tag() + b" LOGOUT\r\n")
        self.close()

    def _answer(self, line: bytes) -> Answer:
        match = _TAGGED.match(line)
        if match is None:
            self.close()
            raise ProtocolBroken(f"{self.peer} sent what is no IMAP response: {_words(line[:100])}")
        tag, status, words = match[1], match[2].upper(), _words(match[3] or b"")
        with_message, opening = tag not in self._open, tag in self._opening
        self._open.discard(tag)
        self._opening.discard(tag)
        if status != b"OK" and (opening or (with_message and status == b"BAD")) and throttled(words):
            self.close()
            raise ConnectionCut(f"{self.peer} asks for a pause: {words}", words)  # Exchange says it with BAD
        if status != b"OK" and _NO_MAILBOX.search(words):
            self.close()
            raise LoginRefused(
                f"{self.peer} takes the credentials and opens no mailbox with them: {words}; is there a mailbox, is "
                "IMAP on for it, and may this login open it?"
            )
        if status == b"BAD" and with_message:
            self.close()
            said = f"{self.peer} did not understand a command: {words}; the connection was closed at once"
            raise ProtocolBroken(said, words, tag)
        return Answer(tag, status == b"OK", words, bad=status == b"BAD")

    def _line(self) -> bytes:
        try:
            line: bytes = self._file.readline(_LONGEST_LINE)
        except (OSError, ssl.SSLError, ValueError, imaplib.IMAP4.error) as error:
            raise self._cut(error) from error
        if not line.endswith(b"\n"):
            raise self._cut("end of the stream")
        return line

    def _octets(self, number: int) -> bytes:
        try:
            octets: bytes = self._file.read(number)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise self._cut(error) from error
        if len(octets) < number:
            raise self._cut("end of the stream in the middle of a message")
        return octets

    def _cut(self, why: object) -> ConnectionCut:
        self.close()
        unheard = isinstance(why, TimeoutError) and len(self._open) > 1
        return ConnectionCut(f"the connection to {self.peer} was lost: {why}", "", unheard=unheard)

    def _closed_with(self, words: str) -> ConnectionCut:
        self.close()
        return ConnectionCut(f"{self.peer} closed the connection: {words}", words)

    def _last_words(self) -> str:
        """What the server said before it closed the connection that we found closed; empty if that is lost."""
        with contextlib.suppress(OSError, ValueError, imaplib.IMAP4.error):
            self._imap.socket().settimeout(_PATIENCE_FOR_BYE)
            while line := self._file.readline(_LONGEST_LINE):
                if line[:5].upper() == b"* BYE":
                    return _words(line[5:])
        return ""


def _words(text: bytes) -> str:
    """On one line, without control characters."""
    decoded = text[:_LONGEST_WORDS].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in decoded).split())
