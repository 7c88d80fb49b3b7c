"""An IMAP server on loopback that does nothing but let people in, each as its own kind of server does."""

import base64
import hashlib
import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')
_CHALLENGE = b"<4711.42@login.example>"

Refusing = Callable[[bytes], bytes]


@dataclass
class LoginServer:
    """``users``: password by name, as octets; ``admins`` may become any of them, ``master`` is X-MASTERAUTH's password.

    ``says`` makes the words of a refusal from the octets of the command that is refused, as they came. ``got`` is
    every octet that was received, ``inside`` whose mailboxes were opened. ``closes`` is said to whoever connects.
    ``takes_initial``: SASL-IR is done. ``prompts``: the first challenge, which should be empty.
    """

    users: dict[bytes, bytes]
    announces: bytes = b"IMAP4rev1"
    admins: frozenset[bytes] = frozenset()
    master: bytes | None = None
    says: Refusing = lambda _: b"NO [AUTHENTICATIONFAILED] no"
    closes: bytes = b""
    refuses_literals: bool = False
    takes_initial: bool = True
    prompts: bytes = b""
    got: bytes = b""
    inside: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        fake: LoginServer = self

        class Handler(_Connection):
            server_of = fake

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Connection(socketserver.StreamRequestHandler):
    server_of: LoginServer

    def handle(self) -> None:
        fake, self.is_admin, self.command = self.server_of, False, b""
        if fake.closes:
            self.wfile.write(b"* BYE " + fake.closes + b"\r\n")
            return
        self.wfile.write(b"* OK ready\r\n")
        while words := self._words():
            tag, verb, *arguments = words
            verb = verb.upper()
            if verb == b"LOGOUT":
                return
            if verb == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY " + fake.announces + b"\r\n" + tag + b" OK done\r\n")
                continue
            user = self._entered(verb, arguments)
            if user and not self.is_admin:
                fake.inside.append(user)
            done = b" OK done" if user else b" " + (fake.says(self.command) if user is not None else b"BAD unknown")
            self.wfile.write(tag + done + b"\r\n")

    def _entered(self, verb: bytes, arguments: list[bytes]) -> bytes | None:
        """The name that is in, empty if refused; None for a command that is not known."""
        fake, user = self.server_of, b""
        match verb, arguments:
            case b"LOGIN", [name, password]:
                user = self._known(name, password)
            case b"AUTHENTICATE", [b"PLAIN", *initial] if fake.takes_initial or not initial:
                answer = initial[0] if initial else self._answer(fake.prompts)
                _, name, password = base64.b64decode(answer).split(b"\0")
                user = self._known(name, password)
            case b"AUTHENTICATE", [b"XOAUTH2", *initial] if fake.takes_initial or not initial:
                answer = initial[0] if initial else self._answer(fake.prompts)
                token = base64.b64decode(answer).partition(b"Bearer ")[2].rstrip(b"\1")
                user = next((name for name, known in fake.users.items() if known == token), b"")
                if not user:
                    assert self._answer(base64.b64encode(b'{"status":"400"}')) == b""
            case b"X-MASTERAUTH", [] if fake.master:
                self.is_admin = self._answer(_CHALLENGE) == hashlib.md5(_CHALLENGE + fake.master).hexdigest().encode()
                user = b"master" if self.is_admin else b""
            case (b"PROXYAUTH", [name]) | (b"X-SETUSER", [name]) if fake.master or (fake.admins and verb[:1] == b"P"):
                user = name if self.is_admin and name in fake.users else b""
                self.is_admin = False
            case _:
                return None
        return user

    def _known(self, name: bytes, password: bytes) -> bytes:
        self.is_admin = name in self.server_of.admins
        return name if self.server_of.users.get(name) == password else b""

    def _answer(self, challenge: bytes) -> bytes:
        self.wfile.write(b"+ " + challenge + b"\r\n")
        return self._line().rstrip(b"\r\n")

    def _words(self) -> list[bytes]:
        words: list[bytes] = []
        self.command = b""
        while line := self._line():
            literal = _LITERAL.search(line)
            text = line[: literal.start()] if literal else line
            words += [atom or re.sub(rb"\\(.)", rb"\1", quoted) for quoted, atom in _WORD.findall(text)]
            if not literal:
                return words
            if self.server_of.refuses_literals:
                self.wfile.write(words[0] + b" BAD no literals here\r\n")
                words = []
                continue
            if not literal[2]:
                self.wfile.write(b"+ go on\r\n")
            octets = self.rfile.read(int(literal[1]))
            self._heard(octets)
            words.append(octets)
        return []

    def _line(self) -> bytes:
        line = self.rfile.readline()
        self._heard(line)
        return line

    def _heard(self, octets: bytes) -> None:
        self.command += octets
        self.server_of.got += octets
