"""Ports for servers that are told on which one to listen: none is ever handed out twice on this machine.

A port that was found free and let go again may be found by others, too, before its server has started: by a second
server of the same test, by another copy of the suite, or by any connection that goes out, whose own port the kernel
takes from net.ipv4.ip_local_port_range. So these lie below that range, in blocks. A process has a block for itself as
long as it lives: it listens on the first port of it.
"""

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

BLOCK = 50
_FIRST = 10_000  # below lie the well-known ones
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_END = 32_768  # where the range begins on Linux, unless somebody has set it
_LEAST_BLOCKS = 100


def own_port(address: str = "127.0.0.1") -> int:
    """A port at which nobody listens, for TCP and for UDP; nobody else is given it while this process lives."""
    with _lock:
        return next(port for port in _handed_out if _is_free(address, port))


def end() -> int:
    """The first port that is too high: from there on the kernel gives ports to connections that go out."""
    begins = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else _USUAL_END
    return begins if begins >= _FIRST + BLOCK * _LEAST_BLOCKS else _USUAL_END


def _ports() -> Iterator[int]:
    """Block after block, in no order: what an earlier run has left behind is not met at once."""
    starts = range(_FIRST, end() - BLOCK + 1, BLOCK)
    for start in random.SystemRandom().sample(starts, len(starts)):
        try:
            _held.append(socket.create_server(("127.0.0.1", start)))
        except OSError:
            continue
        yield from range(start + 1, start + BLOCK)
    raise AssertionError("all blocks of ports are taken: too many copies of the tests run on this machine")


def _is_free(address: str, port: int) -> bool:
    """Whether no other program of this machine listens there."""
    try:
        with socket.create_server((address, port)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((address, port))
    except OSError:
        return False
    return True


_lock = threading.Lock()
_held: list[socket.socket] = []
_handed_out = _ports()
