"""A mailbox that writes to itself: sent over submission, found again over IMAP, and told from everything else.

The message stays where it arrives, and says that it may be deleted: this code deletes nothing.
"""

import base64
import secrets
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from reconciler.errors import SecretError
from reconciler.extend import Surroundings
from reconciler.spec.probing import Probing, SignedMessage
from reconciler.transports.mail.services import imap, smtp
from reconciler.transports.mail.trouble import Ended, reply_of
from reconciler.wording.quoting import one_line

if TYPE_CHECKING:
    from imapclient import IMAPClient

_MARK: Final = "Reconciler-Test"
_LOOK_AGAIN: Final = 0.25  # seconds
_LET_IN: Final = 235  # RFC 4954, section 6
_NOT_ASCII: Final = "takes only passwords of ASCII characters, because it does not offer PLAIN"
_TEXT: Final = """\
This message was sent by the mailbox {mailbox} to itself, through the server that {domain}
moves to, to see how that server signs. Nobody has to read or answer it, and it may be deleted.
"""


class NoMail(Exception):  # noqa: N818 - says what is the case
    """A message could not be sent or looked for; ``str()`` is the reason, as a sentence of its own."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of ours in the inbox; ``at`` is aware, by the server's clock."""

    content: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class OwnMail:
    """Both ways to one mailbox. Every method raises NoMail."""

    domain: str
    probing: Probing
    asked: SignedMessage
    surroundings: Surroundings

    @contextmanager
    def inbox(self) -> Iterator["Inbox"]:
        """The mailbox's inbox, opened for reading alone: nothing in it becomes seen."""
        from imapclient.exceptions import LoginError  # noqa: PLC0415 - slow to load, and not every spec asks for it

        service = self.asked.imap
        password = self._password()
        try:
            with imap(service, self.surroundings.base, self.probing.timeout) as client:
                client.normalise_times = False
                try:
                    if client.has_capability("AUTH=PLAIN"):
                        client.plain_login(self._login, password)
                    else:
                        client.login(self._login, password)
                except LoginError as error:
                    raise Ended(f"refuses the login of {self._login}: {_freed(str(error), password)}") from None
                except UnicodeError:  # its words would show a letter of the password
                    raise Ended(_NOT_ASCII) from None
                client.select_folder("INBOX", readonly=True)
                yield Inbox(client, self.domain)
        except Ended as reason:
            raise NoMail(f"{service} {reason}") from None

    def send(self) -> str:
        """Submit a message; gives what tells it from those before."""
        token = secrets.token_hex(8)
        service = self.asked.submission
        password = self._password()
        try:
            with smtp(service, self.surroundings.base, self.probing.timeout, self.probing.helo) as client:
                self._enter(client, password)
                try:
                    client.send_message(self._message(token), self.asked.mailbox, [self.asked.mailbox])
                except smtplib.SMTPRecipientsRefused as error:
                    reply = next(iter(error.recipients.values()))
                    raise Ended(f"refuses mail to {self.asked.mailbox}: {reply_of(*reply)}") from error
        except Ended as reason:
            raise NoMail(f"{service} {reason}") from None
        return token

    def _enter(self, client: smtplib.SMTP, password: str) -> None:
        """PLAIN where it is offered: it has UTF-8 (RFC 4616, section 2), where the library's own login has ASCII."""
        if "PLAIN" in client.esmtp_features.get("auth", "").upper().split():
            token = base64.b64encode(f"\0{self._login}\0{password}".encode()).decode()
            code, text = client.docmd("AUTH", f"PLAIN {token}")
            if code != _LET_IN:
                words = text.decode(errors="replace").replace(token, "***")
                raise Ended(f"refuses the login of {self._login}: {code} {_freed(words, password)}")
            return
        try:
            client.login(self._login, password)
        except smtplib.SMTPAuthenticationError as error:
            words = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
            raise Ended(f"refuses the login of {self._login}: {error.smtp_code} {_freed(words, password)}") from None
        except UnicodeError:  # its words would show a letter of the password
            raise Ended(_NOT_ASCII) from None

    def _message(self, token: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = message["To"] = self.asked.mailbox
        message["Subject"] = f"Test of how {self.domain} will be signed"
        message["Date"] = format_datetime(self.surroundings.now)
        message["Message-ID"] = f"<{token}.test@{self.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence answers it (RFC 3834, section 5)
        message[_MARK] = f"{self.domain} {token}"
        message.set_content(_TEXT.format(mailbox=self.asked.mailbox, domain=self.domain))
        return message

    @property
    def _login(self) -> str:
        return self.asked.login or self.asked.mailbox

    def _password(self) -> str:
        try:
            return self.surroundings.secrets.reveal(self.asked.password).reveal()
        except SecretError as error:
            raise NoMail(f"the password of {self.asked.mailbox} is not known: {error}") from None


class Inbox:
    """What has arrived of ours; to be used while it is open."""

    def __init__(self, client: "IMAPClient", domain: str) -> None:
        """Of a client that has selected the folder."""
        self._client, self._domain = client, domain

    def newest(self, token: str = "") -> Arrived | None:
        """The last message that was sent for the domain, or the one with this token."""
        found = self._client.search(["HEADER", _MARK, f"{self._domain} {token}".strip()])
        if not found:
            return None
        (fetched,) = self._client.fetch([max(found)], ["BODY.PEEK[]", "INTERNALDATE"]).values()
        return Arrived(fetched[b"BODY[]"], fetched[b"INTERNALDATE"])

    def wait_for(self, token: str, patience: float) -> Arrived | None:
        """That message, once it arrives; None if it does not within ``patience`` (seconds)."""
        deadline = time.monotonic() + patience
        while (arrived := self.newest(token)) is None and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)
            self._client.noop()
        return arrived


def _freed(text: str, password: str) -> str:
    """A server's words without what was sent to it, should it repeat that."""
    return one_line(text.replace(password, "***"))
