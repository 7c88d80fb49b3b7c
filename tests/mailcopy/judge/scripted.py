"""A small IMAP server on loopback whose every answer can be replaced: for what real servers are reported to do."""

import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\(.*\))|(\S+)')

DATE = b"05-Mar-2024 10:00:00 +0000"


class HangUp(Exception):  # noqa: N818 - what the server does
    """Close the connection now."""


@dataclass
class Message:
    """``size`` and ``date`` are what the row says, ready to be sent."""

    uid: int
    text: bytes
    flags: bytes = b""
    date: bytes = b'"' + DATE + b'"'
    size: bytes | None = None

    @property
    def header(self) -> bytes:
        return self.text.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@dataclass
class Box:
    messages: list[Message] = field(default_factory=list)
    attributes: bytes = b""
    uidvalidity: int = 7
    uidnext: int | None = None
    permanent: bytes | None = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"


class Server:
    """``boxes`` by raw name. ``hook`` gives all of an answer, or None for the ordinary one; ``said``: all commands.

    ``keeps_open``: an EXAMINE that is refused leaves the folder before it open, as some servers do.
    """

    def __init__(self, boxes: dict[bytes, Box], *, capabilities: bytes = b"IMAP4rev1 NAMESPACE") -> None:
        self.boxes = boxes
        self.capabilities = capabilities
        self.said: list[bytes] = []
        self.keeps_open = False
        self.hook: Callable[[bytes, bytes, bytes | None], bytes | None] = lambda _tag, _command, _box: None
        self.row: Callable[[bytes, int, Message, bytes], bytes] = row
        self.opening: Callable[..., bytes] = opening
        outer = self

        class Handler(_Connection):
            server_of = outer

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Connection(socketserver.StreamRequestHandler):
    server_of: Server
    opened: bytes | None = None

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        try:
            while line := self.rfile.readline():
                tag, _, command = line.rstrip(b"\r\n").partition(b" ")
                self.server_of.said.append(command)
                answer = self.server_of.hook(tag, command, self.opened)
                self.wfile.write(self.ordinary(tag, command) if answer is None else answer)
                if command.upper().startswith((b"EXAMINE", b"SELECT")) and answer is not None:
                    self.opened = self.opened if self.server_of.keeps_open else None
        except (HangUp, OSError):
            return

    def ordinary(self, tag: bytes, command: bytes) -> bytes:  # noqa: PLR0911 - one for each verb
        server, ok = self.server_of, tag + b" OK done\r\n"
        words = [quoted or group or atom for quoted, group, atom in _WORD.findall(command)]
        match [words[0].upper(), *words[1:]]:
            case [b"CAPABILITY"]:
                return b"* CAPABILITY " + server.capabilities + b"\r\n" + ok
            case [b"NAMESPACE"]:
                return b'* NAMESPACE (("" "/")) NIL NIL\r\n' + ok
            case [b"LIST", *_]:
                return b"".join(listed(name, box) for name, box in server.boxes.items()) + ok
            case [(b"EXAMINE" | b"SELECT") as verb, name]:
                if (box := server.boxes.get(name)) is None:
                    self.opened = None
                    return tag + b" NO [NONEXISTENT] no such mailbox\r\n"
                self.opened = name
                return server.opening(box, read_only=verb == b"EXAMINE") + ok
            case [b"UID", fetch, chosen, items] if fetch.upper() == b"FETCH" and self.opened is not None:
                messages = server.boxes[self.opened].messages
                rows = (
                    server.row(self.opened, number, message, items)
                    for number, message in enumerate(messages, 1)
                    if _within(message.uid, chosen, messages[-1].uid)
                )
                return b"".join(rows) + ok
            case [b"LOGIN" | b"NOOP" | b"LOGOUT" | b"ID", *_]:
                return ok
            case _:
                return tag + b" BAD unknown\r\n"


def listed(name: bytes, box: Box) -> bytes:
    return b'* LIST (%s) "/" "%s"\r\n' % (box.attributes, name.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))


def opening(box: Box, *, read_only: bool) -> bytes:
    last = max((message.uid for message in box.messages), default=0)
    kept = b"" if read_only else box.permanent
    told = b"" if kept is None else b"* OK [PERMANENTFLAGS (%s)] kept\r\n" % kept
    uidnext = last + 1 if box.uidnext is None else box.uidnext
    return told + b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] valid\r\n* OK [UIDNEXT %d] next\r\n" % (
        len(box.messages), box.uidvalidity, uidnext,
    )  # fmt: skip


def row(_box: bytes, number: int, message: Message, items: bytes) -> bytes:
    told = [b"UID %d" % message.uid]
    if b"FLAGS" in items:
        told.append(b"FLAGS (%s)" % message.flags)
    if b"INTERNALDATE" in items:
        told.append(b"INTERNALDATE " + message.date)
    if b"RFC822.SIZE" in items:
        told.append(b"RFC822.SIZE " + (b"%d" % len(message.text) if message.size is None else message.size))
    if b"BODY.PEEK[HEADER" in items:
        section = items[items.index(b"[") : items.index(b"]") + 1]
        told.append(b"BODY%s %s" % (section, literal(message.header)))
    if b"BODY.PEEK[]" in items:
        told.append(b"BODY[] " + literal(message.text))
    return b"* %d FETCH (" % number + b" ".join(told) + b")\r\n"


def literal(text: bytes) -> bytes:
    return b"{%d}\r\n%s" % (len(text), text)


def mail(number: int, text: str = "hello") -> bytes:
    return (
        f"Message-ID: <{number}@x>\r\nDate: Tue, 5 Mar 2024 09:00:00 +0000\r\nSubject: s\r\n\r\n{text} {number}\r\n"
    ).encode()


def mails(*uids: int) -> list[Message]:
    return [Message(uid, mail(uid)) for uid in uids]


def _within(uid: int, chosen: bytes, last: int) -> bool:
    for part in chosen.replace(b"*", b"%d" % last).split(b","):
        first, _, end = part.partition(b":")
        ends = sorted((int(first), int(end or first)))
        if ends[0] <= uid <= ends[1]:
            return True
    return False
