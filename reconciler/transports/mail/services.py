"""Connections to mail services that prove who they are.

They are made to the address that the spec gives and verified for the name that users are given: before the cutover the
name may still lead to the old server.
"""

import contextlib
import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.spec.probing import TlsService
from reconciler.transports.mail.smtp_line import literal
from reconciler.transports.mail.trouble import Ended, why
from reconciler.wording.quoting import one_line

if TYPE_CHECKING:
    from imapclient import IMAPClient


class _ForOneName(ssl.SSLContext):
    """Verifies for ``name``, or that the certificate is the pinned one, whatever was connected to."""

    name = ""
    fingerprint: str | None = None

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """After the handshake: all that libraries ask for is a connection that they can trust."""
        made = super().wrap_socket(*arguments, **(options | {"server_hostname": self.name}))
        if self.fingerprint:
            found = hashlib.sha256(made.getpeercert(binary_form=True) or b"").hexdigest()
            if found != self.fingerprint:
                made.close()
                msg = f"it is another one than the spec names, its fingerprint is {found}"
                raise ssl.SSLCertVerificationError(msg)
        return made


@contextlib.contextmanager
def smtp(service: TlsService, base: Path, timeout: float, helo: str | None) -> Iterator[smtplib.SMTP]:
    """Connected, under TLS, and greeted. ``timeout`` in seconds for each answer.

    Raises:
        Ended: there is no such connection, or it has ended.

    """
    context = _context(service, base)
    where = str(service.address or service.host)
    client: smtplib.SMTP | None = None
    try:
        if service.begins_with_tls:
            client = smtplib.SMTP_SSL(where, service.port, helo or "localhost", timeout=timeout, context=context)
        else:
            client = smtplib.SMTP(where, service.port, helo or "localhost", timeout)
        client.local_hostname = helo or literal(client)
        client.ehlo_or_helo_if_needed()
        if not service.begins_with_tls:
            _turn_to_tls(client, context)
        yield client
        with contextlib.suppress(OSError):  # everything was said already
            client.quit()
    except OSError as error:
        raise Ended(why(error, timeout)) from error
    finally:
        if client is not None:
            client.close()


@contextlib.contextmanager
def imap(service: TlsService, base: Path, timeout: float) -> Iterator["IMAPClient"]:
    """Connected and under TLS, not logged in. ``timeout`` in seconds for each answer.

    Raises:
        Ended: there is no such connection, or it has ended.

    """
    from imapclient import IMAPClient  # noqa: PLC0415 - slow to load, and not every spec asks for it
    from imapclient.exceptions import IMAPClientError  # noqa: PLC0415

    context = _context(service, base)
    where = str(service.address or service.host)
    client: IMAPClient | None = None
    try:
        client = IMAPClient(where, service.port, ssl=service.begins_with_tls, ssl_context=context, timeout=timeout)
        if not service.begins_with_tls:
            client.starttls(context)
        yield client
        with contextlib.suppress(IMAPClientError, OSError):  # everything was said already
            client.logout()
    except OSError as error:
        raise Ended(why(error, timeout)) from error
    except IMAPClientError as error:
        raise Ended(f"answers what was not expected: {one_line(str(error))}") from error
    finally:
        if client is not None:
            with contextlib.suppress(OSError):
                client.shutdown()


def _turn_to_tls(client: smtplib.SMTP, context: ssl.SSLContext) -> None:
    if not client.has_extn("starttls"):
        raise Ended("does not offer STARTTLS, so that passwords would cross the network in the clear")
    client.starttls(context=context)
    client.ehlo()


def _context(service: TlsService, base: Path) -> _ForOneName:
    context = _ForOneName(ssl.PROTOCOL_TLS_CLIENT)
    context.name, context.fingerprint = service.host, service.fingerprint
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if service.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif service.ca_file:
        file = base / service.ca_file
        try:
            context.load_verify_locations(file)
        except OSError as error:  # of which SSLError is one
            told = error.strerror or str(error)
            raise Ended(f"cannot be verified: {file}, its ca_file, holds no certificates to trust ({told})") from error
    else:
        context.load_default_certs()
    return context
