"""Servers that do not speak TLS as the spec asks: said once, with what to write instead, and no credentials sent."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.errors import ConnectionCut, LoginRefused
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.imap.session import open_session
from reconciler.model.secret import Secret

GREETING = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n"
TOO_OLD = b"\x15\x03\x01\x00\x02\x02\x46"  # RFC 5246, section 7.2: a fatal alert, protocol_version
NO_CIPHER = b"\x15\x03\x01\x00\x02\x02\x28"  # the same, handshake_failure


class Listener(socketserver.ThreadingTCPServer):
    """Says one thing and keeps what it hears."""

    daemon_threads = True

    def __init__(self, says: bytes, *, first: bool) -> None:
        self.says, self.first, self.heard = says, first, bytearray()
        super().__init__(("127.0.0.1", 0), _Says)


class _Says(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        listener = self.server
        assert isinstance(listener, Listener)
        if listener.first:
            self.request.sendall(listener.says)
        while octets := self.request.recv(4096):
            listener.heard += octets
            if not listener.first:
                self.request.sendall(listener.says)
                return
            if octets.upper().endswith(b"CAPABILITY\r\n"):
                self.request.sendall(b"* CAPABILITY IMAP4rev1\r\n" + octets.split()[0] + b" OK done\r\n")


@contextmanager
def listening(says: bytes, *, first: bool) -> Iterator[Listener]:
    with Listener(says, first=first) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def entered(server: Listener, security: Security, timeout: float = 10) -> str:
    end = Server("127.0.0.1", server.server_address[1], security, timeout=timeout)
    with pytest.raises((LoginRefused, ConnectionCut)) as caught:
        open_session(end, OwnPassword("ann", lambda: Secret("secret-word")))
    assert b"secret-word" not in server.heard
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("says", "first", "security", "todo"),
    [
        (TOO_OLD, False, Security.TLS, "it speaks TLS 1.1 or older only"),
        (NO_CIPHER, False, Security.TLS, "it has no cipher or key that is safe today"),
        (GREETING, True, Security.TLS, "write tls: starttls and its port (mostly 143)"),
        (GREETING, True, Security.STARTTLS, "write tls: implicit and its port for that (mostly 993)"),
    ],
)
def test_what_does_not_pass_by_itself_is_said_with_what_to_write(says, first, security, todo) -> None:
    with listening(says, first=first) as server:
        words = entered(server, security)
    assert words.startswith("LoginRefused: 127.0.0.1:")
    assert todo in words
    assert words.endswith("nothing was sent")


def test_a_server_that_says_nothing_may_want_tls_first() -> None:
    with listening(b"", first=True) as server:
        assert "does this port want TLS from the first octet on (tls: implicit)?" in entered(
            server, Security.LOOPBACK, 0.2
        )


def test_a_connection_that_is_closed_at_once_is_tried_again() -> None:
    with listening(b"", first=False) as server:
        assert entered(server, Security.TLS).startswith("ConnectionCut: no connection to 127.0.0.1:")
