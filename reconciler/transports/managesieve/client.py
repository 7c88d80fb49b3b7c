"""The ManageSieve protocol, by the ``managesieve`` library, where it is given a wire that ends.

Of the two kept libraries, sievelib's client reads a script line by line and so loses its line ends and whether its last
line ended, rewrites them on the way back, connects without a time-out and takes no certificate of its own. The other,
``managesieve``, keeps every octet, quotes the server's words and has places to change what it lacks, which is done
here: its readings end with the connection instead of going round for ever, they are not made octet by octet, TLS
is verified by a context of ours, CHECKSCRIPT is spoken, names are quoted, and it logs nothing, for its log would hold
passwords.

Source: RFC 5804; tested with managesieve 0.8.1 and Pigeonhole 0.5.19.
"""

import re
import socket
import ssl
from io import BufferedReader
from typing import Any, Final

import managesieve

_LONGEST_LINE: Final = 1 << 16
_LONGEST_SCRIPT: Final = 1 << 26
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')

managesieve.commands.setdefault(b"CHECKSCRIPT", ("AUTH",))


class Client(managesieve.MANAGESIEVE):  # type: ignore[misc]  # the library ships no types
    """One connection. ``response_code`` and ``response_text`` are the server's last words."""

    response_code: str | None
    response_text: str | None
    capabilities: list[str]
    loginmechs: list[str]
    supports_tls: int

    def __init__(self, host: str, port: int, timeout: float) -> None:
        """Connect and read the greeting.

        Raises:
            managesieve.MANAGESIEVE.error: it makes no sense, or is a refusal.
            OSError: no connection, or no answer in time.

        """
        self.greeted = False
        self.checks = False
        self.sock: socket.socket | None = None
        self._reader: BufferedReader | None = None
        try:
            super().__init__(host, port, timeout=timeout)
        except BaseException:
            self.hang_up()
            raise
        if not self.greeted:
            self.hang_up()
            raise self.abort(f"it greets with a refusal: {self.response_text or self.response_code or 'no words'}")

    def encrypt(self, context: ssl.SSLContext, name: str) -> bytes | None:
        """STARTTLS; gives the certificate that was shown (DER). What was known before is forgotten (section 2.2).

        Raises:
            ssl.SSLError: the certificate is not to be trusted.
            managesieve.MANAGESIEVE.error: the server will not.

        """
        if not self.supports_tls:
            raise self.abort("it offers no STARTTLS, so no password was sent")
        typ, _ = self._command(b"STARTTLS")
        if typ != managesieve.OK:
            raise self.abort(f"it refuses STARTTLS ({self.response_text}), so no password was sent")
        assert self.sock is not None
        tls = context.wrap_socket(self.sock, server_hostname=name)
        self._use(tls)  # with a new reader: what was sent in the clear after the OK may be somebody else's
        self.capabilities, self.loginmechs, self.supports_tls, self.checks = [], [], 0, False
        typ, data = self._get_response()
        if typ != managesieve.OK:
            raise self.abort(f"it hangs up after STARTTLS: {self.response_text}")
        self._parse_capabilities(data)
        return tls.getpeercert(binary_form=True)

    def check(self, content: str) -> bool:
        """CHECKSCRIPT; True where the server cannot check (before version 1.0), for PUTSCRIPT checks as well."""
        return not self.checks or self._simple_command(b"CHECKSCRIPT", managesieve.sieve_string(content)) == "OK"

    def hang_up(self) -> None:
        """Close, whatever state it is in."""
        for end in (self._reader, self.sock):
            if end is not None:
                end.close()
        self.sock = self._reader = None

    def _open(self, host: str, port: int) -> None:
        self._use(socket.create_connection((host, port), timeout=self.timeout))

    def _use(self, plug: socket.socket) -> None:
        if self._reader is not None:
            self._reader.close()
        self.sock, self._reader = plug, plug.makefile("rb")

    def _close(self) -> None:
        self.hang_up()

    def _read(self, size: int) -> bytes:
        if size > _LONGEST_SCRIPT:
            raise self.abort(f"it announces {size} octets, and no script is that long")
        data = self._reader.read(size) if self._reader else b""
        if len(data) < size:
            raise self.abort("the connection was closed in the middle of an answer")
        return data

    def _readline(self) -> str:
        line = self._reader.readline(_LONGEST_LINE) if self._reader else b""
        if not line.endswith(b"\r\n"):
            raise self.abort("the connection was closed" if not line else "an answer does not end")
        return line.decode()

    def _send(self, data: bytes) -> None:
        if self.sock is None:
            raise self.abort("the connection is closed")
        self.sock.sendall(data)

    def _readstring(self, data: str) -> Any:
        quoted = _QUOTED.match(data)
        if quoted:
            return re.sub(r"\\(.)", r"\1", quoted[1]), data[quoted.end() :]
        return super()._readstring(data)

    def _parse_capabilities(self, lines: list[list[str | None]]) -> None:
        self.greeted = True
        self.checks = any(line[0] == "VERSION" for line in lines)
        # The library splits what is there; a server that offers no login before TLS says nothing, not even "".
        super()._parse_capabilities([[line[0], (line[1] if len(line) > 1 else None) or ""] for line in lines])

    def _log(self, *_: object) -> None:
        """Nothing: a command may hold a password."""

    def _print_log(self) -> None:
        """Nothing: a command may hold a password."""


def quoted(name: str) -> str:
    """A name as the library's methods take it: they put the quotes around it, but escape nothing in it."""
    return name.replace("\\", "\\\\").replace('"', '\\"')
