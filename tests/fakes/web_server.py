"""A web server that answers as it is told, over HTTP or HTTPS on loopback, and remembers what it was asked."""

import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """``promised``: the length that the header says, where it is another than that of the body."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class WebServer:
    """Gives the replies one after the other, the last one again and again."""

    def __init__(self, *replies: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.replies = deque(replies or [Reply()])
        self.asked: list[Asked] = []
        outer = self

        class Handler(_Handler):
            web = outer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that goes away is a test's
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    web: WebServer

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.web.asked.append(Asked(self.command, self.path, headers, body))
        reply = self.web.replies[0] if len(self.web.replies) == 1 else self.web.replies.popleft()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) if reply.promised is None else reply.promised))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = reply.promised is not None

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - names that http.server calls

    def log_message(self, *_: Any) -> None:
        return
