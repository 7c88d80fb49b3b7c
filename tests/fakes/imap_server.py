"""A scripted IMAP server on loopback: an ordinary IMAP4rev1 server (RFC 3501), until oddities are put on it.

It announces what it is told to, and does what it announces: LITERAL+ (RFC 7888), MULTIAPPEND (RFC 3502), UIDPLUS
(RFC 4315), NAMESPACE (RFC 2342), ID (RFC 2971), LIST-EXTENDED and LIST-STATUS (RFC 5258, RFC 5819), CONDSTORE
(RFC 7162). Nothing in it removes a message. What real servers do otherwise are oddities (tests.fakes.imap_oddities
and the modules beside it), any mixture of them.
"""

import contextlib
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Self

from tests.fakes.imap_folders import Folder
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_verbs import VERBS
from tests.fakes.imap_words import LITERAL, Command, Word, words_of

ORDINARY = "IMAP4rev1 AUTH=PLAIN UIDPLUS NAMESPACE LITERAL+"
EVERYTHING = f"{ORDINARY} MULTIAPPEND ID CONDSTORE LIST-EXTENDED LIST-STATUS"
PERMANENT = r"\Answered \Flagged \Deleted \Seen \Draft \*"

_GONE_BY = 2.0  # seconds until a client has heard that it was hung up on


class ImapServer:
    """``folders`` by their names as on the wire; INBOX is always there. ``said`` is what clients said.

    ``passwords`` by user, as octets; None lets everybody in. ``permanent``: PERMANENTFLAGS; None says nothing of them.
    """

    def __init__(
        self,
        folders: Mapping[bytes, Folder] | None = None,
        *oddities: Oddity,
        capabilities: str = ORDINARY,
        separator: str = "/",
        prefix: str = "",
        permanent: str | None = PERMANENT,
        passwords: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Begin to listen."""
        self.folders = {b"INBOX": Folder(), **(folders or {})}
        self.oddities: Sequence[Oddity] = oddities
        self.capabilities = capabilities
        self.separator, self.prefix = separator.encode(), prefix.encode()
        self.permanent, self.passwords = permanent, passwords
        self.said: list[Command] = []
        self.lock = threading.RLock()
        self.clients: list[socket.socket] = []
        outer = self

        class Handler(Connection):
            server_of = outer

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Listen no more, and hang up on who is there."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def can(self, capability: str) -> bool:
        """Whether it announces that."""
        return capability in self.capabilities.split()

    def find(self, name: bytes) -> bytes | None:
        """The name under which a folder is kept."""
        for oddity in self.oddities:
            if (found := oddity.find(self.folders, name)) is not None:
                return found
        if name in self.folders:
            return name
        return b"INBOX" if name.upper() == b"INBOX" else None

    def heard(self, verb: str) -> list[Command]:
        """All commands of that verb."""
        return [command for command in self.said if command.verb == verb]


class Connection(socketserver.StreamRequestHandler):
    """One client. ``selected``: the folder that is open; ``before``: the one before the last attempt to open one.

    ``errors``: commands that were refused. ``identified``: it has said ID.
    """

    server_of: ImapServer
    selected: bytes | None = None
    before: bytes | None = None
    writable = False
    errors = 0
    identified = False

    def handle(self) -> None:
        """Answer until the client goes or is hung up on."""
        self.server_of.clients.append(self.connection)
        with contextlib.suppress(OSError):
            self.wfile.write(b"* OK ready\r\n")
            while (words := self._read()) is not None:
                if not self._serve(words):
                    return

    def finish(self) -> None:
        """The client may be gone already."""
        with contextlib.suppress(OSError):
            super().finish()

    def _serve(self, words: Sequence[Word]) -> bool:
        if len(words) < 2:
            self.wfile.write(b"* BAD no command\r\n")
            return True
        command = Command.of(words)
        with self.server_of.lock:
            reply = self._reply(command)
        self.wfile.write(reply.octets(command.tag))
        if reply.ends:
            self._hang_up(abruptly=reply.abrupt)
        return not reply.ends and command.verb != "LOGOUT"

    def _reply(self, command: Command) -> Reply:
        server = self.server_of
        server.said.append(command)
        self.before = self.selected
        reply = next((said for oddity in server.oddities if (said := oddity.hear(self, command)) is not None), None)
        if reply is None:
            verb = VERBS.get(command.verb)
            reply = verb(self, command) if verb else Reply(b"BAD unknown command")
        if command.verb in {"SELECT", "EXAMINE"} and not reply.ok:
            self.selected = None
        for oddity in server.oddities:
            oddity.tell(self, command, reply)
        return reply

    def _read(self) -> list[Word] | None:
        """The words of one command; a literal is asked for where the client waits for that."""
        words: list[Word] = []
        while line := self.rfile.readline():
            ends = LITERAL.search(line)
            words += words_of(line[: ends.start()] if ends else line.rstrip(b"\r\n"))
            if not ends:
                return words
            if not ends[2] and not self._goes_on(words, int(ends[1])):
                words = []
                continue
            words.append(Word(self.rfile.read(int(ends[1])), "literal"))
        return None

    def _goes_on(self, words: Sequence[Word], size: int) -> bool:
        command = Command.of(words)
        for oddity in self.server_of.oddities:
            if (refusal := oddity.literal(self, command, size)) is not None:
                self.wfile.write(command.tag + b" " + refusal + b"\r\n")
                return False
        self.wfile.write(b"+ go ahead\r\n")
        return True

    def challenge(self) -> bytes:
        """Ask for the client's part of an authentication."""
        self.wfile.write(b"+ \r\n")
        return self.rfile.readline().strip()

    def is_waiting(self, seconds: float) -> bool:
        """Whether the client has sent more, ahead of the answer."""
        if select.select([self.connection], [], [], seconds)[0]:
            return True
        self.connection.settimeout(0)
        try:
            return bool(self.rfile.peek(1))  # type: ignore[attr-defined]  # it is a BufferedReader
        finally:
            self.connection.settimeout(None)

    def _hang_up(self, *, abruptly: bool) -> None:
        """So that all that was said arrives, or so that the client hears a reset."""
        if abruptly:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_GONE_BY)
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass
