"""A TCP proxy on loopback that is as slow, as unreliable or as talkative as a test wants."""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Proxy:
    """Passes everything on to a port of this machine.

    ``cut_after``: octets from the client (``cut_side`` "up") or the server ("down") after which both sides of a
    connection are closed at once, as a lost line does it; each connection counts for itself, only the first ``cuts``
    are cut. ``delay``: seconds each way. ``edit``: what becomes of octets from the server.
    """

    port: int
    cut_after: int | None = None
    cut_side: str = "up"
    cuts: int = 1
    delay: float = 0.0
    edit: Callable[[bytes], bytes] = lambda octets: octets
    passed: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})

    def __enter__(self) -> Self:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.own_port = self._door.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._plugs: list[socket.socket] = []
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for plug in self._plugs:
            _hang_up(plug)
        for thread in self._threads:
            thread.join(5)

    def heard(self, octets: bytes) -> None:
        """What the client says goes by here."""

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                client.close()
                continue
            for plug in (client, server):
                plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._plugs += [client, server]
            budget = self.cut_after if self.cuts > 0 else None
            self.cuts -= 1
            for source, sink, side in ((client, server, "up"), (server, client, "down")):
                self._start(self._pump, source, sink, side, budget if side == self.cut_side else None)

    def _pump(self, source: socket.socket, sink: socket.socket, side: str, budget: int | None) -> None:
        queue: deque[tuple[float, bytes]] = deque()
        ready = threading.Condition()
        if self.delay:
            self._start(self._deliver, queue, ready, sink)
        try:
            while octets := source.recv(256 * 1024):
                if side == "down":
                    octets = self.edit(octets)
                else:
                    self.heard(octets)
                if budget is not None:
                    octets, budget = octets[:budget], budget - len(octets)
                self.passed[side] += len(octets)
                if self.delay:
                    with ready:
                        queue.append((time.monotonic() + self.delay, octets))
                        ready.notify()
                else:
                    sink.sendall(octets)
                if budget is not None and budget <= 0:
                    break
        except OSError:
            pass
        finally:
            if self.delay:
                with ready:
                    queue.append((time.monotonic() + self.delay, b""))
                    ready.notify()
            else:
                _hang_up(sink)
            _hang_up(source)

    @staticmethod
    def _deliver(queue: deque[tuple[float, bytes]], ready: threading.Condition, sink: socket.socket) -> None:
        while True:
            with ready:
                while not queue:
                    ready.wait()
                due, octets = queue.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            if not octets:
                _hang_up(sink)
                return
            try:
                sink.sendall(octets)
            except OSError:
                return


def _hang_up(plug: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plug.shutdown(socket.SHUT_RDWR)
    plug.close()
