"""A network of one's own on loopback: 254 addresses that no other lab of this machine uses at the same time."""

import os
import random
import socket

SMTP = 2525
"""Where every MTA of a lab takes mail from outside: an MX names a host and never a port (RFC 5321, section 5.1)."""
SUBMISSION = 2587
"""Where the mail servers of a lab take their own users' mail, after a login."""
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""Before a daemon's own arguments: it is ended when the process that started it is, however that came about."""
_HELD = 2524  # listened on by whoever has the network
_FIRST = 64  # 127.0 to 127.63 belong to this machine's own services


class Loopback:
    """``127.X.Y.1`` to ``127.X.Y.254``, until it is given back."""

    def __init__(self) -> None:
        chance = random.Random(f"{os.getpid()} {id(self)}")
        while True:
            self._net = f"127.{chance.randrange(_FIRST, 255)}.{chance.randrange(1, 255)}"
            try:
                self._held = socket.create_server((self.address(254), _HELD), reuse_port=False)
            except OSError:
                continue
            return

    def address(self, number: int) -> str:
        return f"{self._net}.{number}"

    def close(self) -> None:
        self._held.close()
