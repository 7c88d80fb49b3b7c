"""A logged-in connection and what its server can do."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import imapclient
from imapclient.exceptions import IMAPClientError

from reconciler.errors import ConnectionCut, LoginRefused, MailError
from reconciler.mailcopy.imap.credentials import Sent
from reconciler.mailcopy.imap.dialogue import Dialogue, HungUp
from reconciler.mailcopy.imap.login import Denied, Login, NotSent, OAuth2, log_in
from reconciler.mailcopy.imap.server import Security, Server, is_pinned, tls_context
from reconciler.mailcopy.imap.tls_words import advice, silent
from reconciler.mailcopy.imap.wire import Wire
from reconciler.mailcopy.model.refusal import Meaning, fit_for_people, meaning
from reconciler.mailcopy.model.suspects import Side


@dataclass(frozen=True, slots=True)
class Session:
    """One connection for bulk work.

    ``capabilities`` in upper case, as announced after the login. ``largest``: the most octets that one message may
    have here (APPENDLIMIT, RFC 7889), as far as is known. ``side``: which end of the copy it is.
    """

    server: Server
    user: str
    is_admin: bool
    wire: Wire
    capabilities: frozenset[str]
    largest: int | None = None
    side: Side = Side.SOURCE

    def can(self, capability: str) -> bool:
        """Whether the server announced it."""
        return capability in self.capabilities


@contextlib.contextmanager
def session(server: Server, login: Login) -> Iterator[Session]:
    """Connect, log in, and leave at the end; after an error the socket is only closed.

    Raises:
        LoginRefused: wrong or expired credentials, or a certificate that is not the expected one.
        ConnectionCut: the server cannot be reached or wants no one now; it may later.

    """
    opened = open_session(server, login)
    try:
        yield opened
    except BaseException:
        opened.wire.close()
        raise
    opened.wire.leave()


def open_session(server: Server, login: Login) -> Session:
    """As ``session``; whoever calls it closes the wire."""
    sent = Sent()
    try:
        return _enter(server, login, sent)
    except LoginRefused:
        if not (isinstance(login, OAuth2) and sent.last and login.renew(sent.last)):
            raise
    return _enter(server, login, sent)  # a token may be taken back before its time: once more, with another one


def _enter(server: Server, login: Login, sent: Sent) -> Session:
    client = _connect(server)
    imap = client._imap  # noqa: SLF001 - imapclient hides the connection that all that follows needs
    capabilities: frozenset[str] = frozenset()
    trouble: MailError | None = None
    try:
        capabilities = _logged_in(server, client, login, sent)
    except Denied as denied:
        trouble = _refused(server, login, denied, sent)
    except (HungUp, IMAPClientError, OSError) as error:
        words = sent.freed(str(error))
        trouble = ConnectionCut(f"{server} lets nobody in now (login of {login.user}): {words}", words)
    except BaseException:
        _hang_up(client)
        raise
    if trouble:  # not from within the handler: what is behind it may show what was sent
        _hang_up(client)
        raise trouble
    return Session(
        server, login.user, login.is_admin, Wire(imap, str(server)), capabilities, _largest(server, capabilities)
    )


def _logged_in(server: Server, client: imapclient.IMAPClient, login: Login, sent: Sent) -> frozenset[str]:
    """What the server can do for this user."""
    imap = client._imap  # noqa: SLF001 - as above
    if imap.state != "NONAUTH":
        raise LoginRefused(f"{server} takes whoever connects for logged in, as nobody knows whom; nothing was sent")
    dialogue = Dialogue(imap, frozenset(c.decode("ascii", "replace").upper() for c in client.capabilities()))
    try:
        log_in(dialogue, login, sent)
    except NotSent as why:
        raise LoginRefused(f"{server} cannot be entered as {login.user}: {why}") from None
    return dialogue.capabilities()


def _hang_up(client: imapclient.IMAPClient) -> None:
    with contextlib.suppress(OSError, IMAPClientError):
        client.shutdown()


def _largest(server: Server, capabilities: frozenset[str]) -> int | None:
    told = [int(c[12:]) for c in capabilities if c.startswith("APPENDLIMIT=") and c[12:].isdigit()]
    known = [*told, *([server.limits.largest] if server.limits.largest else [])]
    return min(known, default=None)


def _connect(server: Server) -> imapclient.IMAPClient:
    open_to_all = server.security is Security.LOOPBACK
    context = None if open_to_all else tls_context(server.ca_file, pinned=server.fingerprint is not None)
    timeout = imapclient.SocketTimeout(connect=min(30.0, server.timeout), read=server.timeout)
    try:
        client = imapclient.IMAPClient(
            server.host, server.port, ssl=server.security is Security.TLS, ssl_context=context, timeout=timeout
        )
    except ssl.SSLCertVerificationError as error:
        raise LoginRefused(
            f"the certificate of {server} cannot be trusted: {error.verify_message}; "
            "name its authority with ca_file or the certificate itself with fingerprint"
        ) from error
    except (IMAPClientError, OSError, UnicodeError) as error:
        if todo := advice(error, server.security):
            raise LoginRefused(f"{server} cannot be entered: {todo}; nothing was sent") from error
        words = _said(error)
        hint = silent(error, server.security)
        raise ConnectionCut(f"no connection to {server}: {words}{hint}", words) from error
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # commands go ahead of their answers
    client._imap.debug = 0  # noqa: SLF001 - before the login: debug would format every line, passwords too
    try:
        if server.security is Security.STARTTLS:
            client.starttls(context)
        trusted = server.fingerprint is None or is_pinned(_certificate(client), server.fingerprint)
    except (IMAPClientError, OSError, UnicodeError) as error:
        _hang_up(client)
        if todo := advice(error, server.security):
            raise LoginRefused(f"{server} cannot be entered: {todo}; nothing was sent") from error
        words = _said(error)
        raise ConnectionCut(f"{server} does not start TLS: {words}", words) from error
    if not trusted:
        client.shutdown()
        raise LoginRefused(f"the certificate of {server} has another fingerprint than given; nothing was sent")
    return client


def _said(error: Exception) -> str:
    """A server's greeting, which imaplib makes an error of as octets, or what the system says."""
    if isinstance(error, UnicodeError):
        return "it announces capabilities that are not in ASCII"
    first = error.args[0] if error.args else ""
    words = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(error)
    return fit_for_people(words.removeprefix("* BYE "))


def _certificate(client: imapclient.IMAPClient) -> bytes | None:
    peer = client.socket()
    return peer.getpeercert(binary_form=True) if isinstance(peer, ssl.SSLSocket) else None


def _refused(server: Server, login: Login, denied: Denied, sent: Sent) -> MailError:
    """A server that is busy takes the same credentials later."""
    words = sent.freed(denied.words)
    if meaning(denied.words) in {Meaning.SLOW_DOWN, Meaning.USED_UP}:
        return ConnectionCut(f"{server} lets nobody in now (login of {login.user}): {words}", words)
    hint = denied.hint or "this mailbox waits for new credentials"
    return LoginRefused(f"{server} refuses the login of {login.user}: {words}; {hint}")
