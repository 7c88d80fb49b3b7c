"""One connection to a mail server on which recipients are asked about, as a sender would ask, and no mail is sent.

The class has no DATA and no BDAT: nothing that it does can put a message anywhere.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import Reply
from reconciler.transports.mail.trouble import Ended, reply_of, why

_CLOSING: Final = 421  # the server hangs up (RFC 5321, section 3.8)
_DONE: Final = 250
_CODES: Final = range(200, 600)


class SmtpLine:
    """Asks RCPT under the empty sender, so that nobody would get a bounce (RFC 5321, section 4.5.5).

    STARTTLS is taken where it is offered and no certificate is verified, as most senders do (RFC 7435, section 3).
    ``timeout`` in seconds for each answer. ``resets`` counts the transactions that were given up. Every method raises
    Ended.
    """

    def __init__(self, server: Endpoint, timeout: float, helo: str | None) -> None:
        """Connect, greet, and turn on TLS."""
        self.resets = 0
        self._timeout = timeout
        self._asked = False  # in a transaction that is still open
        try:
            self._smtp = smtplib.SMTP(server.host, server.port, helo or "localhost", timeout)
        except smtplib.SMTPConnectError as error:
            raise Ended(f"greets with {reply_of(error.smtp_code, error.smtp_error)}") from error
        except OSError as error:
            raise Ended(why(error, self._timeout)) from error
        try:
            self._greet(helo or literal(self._smtp))
        except BaseException:
            self._smtp.close()
            raise

    def __enter__(self) -> Self:
        """Stay connected until the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Say QUIT, unless the connection has ended."""
        with contextlib.closing(self._smtp), contextlib.suppress(OSError):  # everything was said already
            if not isinstance(error, Ended):
                self._smtp.quit()

    def ask(self, recipients: Sequence[str]) -> list[Reply]:
        """The reply for each, in one transaction with those before; all at once where the server pipelines."""
        if not self._asked:
            self._expect("MAIL", "FROM:<>")
            self._asked = True
        if self._smtp.has_extn("pipelining"):
            self._send("".join(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients))
            return [self._heard() for _ in recipients]
        return [self._said("RCPT", f"TO:<{recipient}>") for recipient in recipients]

    def ask_alone(self, recipient: str) -> Reply:
        """The reply in a transaction of its own."""
        self.reset()
        (reply,) = self.ask([recipient])
        self.reset()
        return reply

    def reset(self) -> None:
        """Give up the transaction, if there is one."""
        if self._asked:
            self._expect("RSET")
            self.resets += 1
            self._asked = False

    def _greet(self, name: str) -> None:
        self._introduce(name)
        if not self._smtp.has_extn("starttls"):
            return
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            self._smtp.starttls(context=context)
        except OSError as error:
            raise Ended(f"offers STARTTLS, which then does not work: it {why(error, self._timeout)}") from error
        self._introduce(name)

    def _introduce(self, name: str) -> None:
        """Say EHLO; what the server says of its extensions is kept by smtplib."""
        try:
            reply = reply_of(*self._smtp.ehlo(name))
        except OSError as error:
            raise Ended(why(error, self._timeout)) from error
        if reply.code != _DONE:
            raise Ended(f"answers EHLO {name} with {reply}; `helo` in the spec's probe section sets this name")

    def _expect(self, command: str, argument: str = "") -> None:
        reply = self._said(command, argument)
        if reply.code != _DONE:
            raise Ended(f"answers {command} {argument}".rstrip() + f" with {reply}")

    def _said(self, command: str, argument: str = "") -> Reply:
        self._send(f"{command} {argument}".rstrip() + "\r\n")
        return self._heard()

    def _send(self, commands: str) -> None:
        try:
            self._smtp.send(commands)
        except OSError as error:
            raise Ended(why(error, self._timeout)) from error

    def _heard(self) -> Reply:
        try:
            reply = reply_of(*self._smtp.getreply())
        except OSError as error:
            raise Ended(why(error, self._timeout)) from error
        if reply.code == _CLOSING:
            raise Ended(f"closes the connection: {reply}")
        if reply.code not in _CODES:
            raise Ended(f"answers what is no reply of SMTP: {reply}")
        return reply


def literal(smtp: smtplib.SMTP) -> str:
    """The address that the server sees, unless a router changes it (RFC 5321, section 4.1.3)."""
    assert smtp.sock is not None
    address = str(smtp.sock.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
