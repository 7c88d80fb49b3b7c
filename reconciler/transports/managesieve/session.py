"""One mailbox's scripts over ManageSieve: entered, listed, read, checked, put, activated."""

import functools
import hashlib
import hmac
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Final

import managesieve

from reconciler.errors import ObserveError
from reconciler.extend import Context
from reconciler.formats.templates import filled
from reconciler.model.secret import Secret
from reconciler.transports.managesieve.client import Client, quoted
from reconciler.transports.managesieve.options import ManageSieve

_SEEN_LATE: Final = 1.5  # seconds: Dovecot looks at a changed passwd-file about once a second


class Refused(Exception):  # noqa: N818 - says what was answered
    """The server said NO to a command; the text has its words."""


class Lost(Exception):  # noqa: N818 - whether it is an error depends on what was being done
    """The connection ended, or what came over it makes no sense."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of all scripts of a mailbox, and which one is active."""

    names: frozenset[str]
    active: str | None


class Session:
    """A mailbox that is entered. Use it in one thread."""

    def __init__(self, client: Client) -> None:
        """Take over a client that is logged in."""
        self._client = client

    def list(self) -> Listing:
        """LISTSCRIPTS (section 2.7)."""
        with self._talking("LISTSCRIPTS"):
            typ, scripts = self._client.listscripts()
            self._demand(typ, "LISTSCRIPTS")
            return Listing(
                frozenset(name for name, _ in scripts), next((name for name, active in scripts if active), None)
            )

    def get(self, name: str) -> str:
        """GETSCRIPT (section 2.9): every octet as it stands."""
        with self._talking("GETSCRIPT"):
            typ, content = self._client.getscript(quoted(name))
            self._demand(typ, "GETSCRIPT")
            return str(content)

    def check(self, content: str) -> None:
        """CHECKSCRIPT (section 2.12), where the server has it."""
        with self._talking("CHECKSCRIPT"):
            self._demand("OK" if self._client.check(content) else "NO", "CHECKSCRIPT")

    @property
    def checks(self) -> bool:
        """Whether the server judges a script before it is put."""
        return self._client.checks

    def have_space(self, name: str, content: str) -> None:
        """HAVESPACE (section 2.5): before anything is sent."""
        with self._talking("HAVESPACE"):
            self._demand(self._client.havespace(quoted(name), len(content.encode())), "HAVESPACE")

    def put(self, name: str, content: str) -> None:
        """PUTSCRIPT (section 2.6): replaced as a whole or not at all."""
        with self._talking("PUTSCRIPT"):
            self._demand(self._client.putscript(quoted(name), content), "PUTSCRIPT")

    def activate(self, name: str) -> None:
        """SETACTIVE (section 2.8); an empty name: none is active."""
        with self._talking("SETACTIVE"):
            self._demand(self._client.setactive(quoted(name)), "SETACTIVE")

    def delete(self, name: str) -> None:
        """DELETESCRIPT (section 2.10)."""
        with self._talking("DELETESCRIPT"):
            self._demand(self._client.deletescript(quoted(name)), "DELETESCRIPT")

    def close(self) -> None:
        """LOGOUT, and hang up even if nobody answers."""
        try:
            self._client.logout()
        except (managesieve.MANAGESIEVE.error, OSError, ValueError):
            pass
        finally:
            self._client.hang_up()

    def _demand(self, typ: str, command: str) -> None:
        if typ == "OK":
            return
        words = _words(self._client)
        if typ == "NO":
            raise Refused(f"{command}: {words}")
        raise Lost(f"the server ended the connection at {command}: {words}")

    @contextmanager
    def _talking(self, command: str) -> Iterator[None]:
        try:
            yield
        except (managesieve.MANAGESIEVE.error, OSError) as error:
            raise Lost(f"{command}: {_reason(error)}") from error
        except UnicodeDecodeError as error:
            raise Lost(
                f"{command}: the answer is not UTF-8, as every Sieve script must be (RFC 5228, section 2.1)"
            ) from error


def enter(server: ManageSieve, context: Context, mailbox: str) -> Session:
    """Connect, verify the server, log in; secrets are revealed in between.

    A refused login is tried once more a little later, for the account may be new; not more often, because servers
    make an address wait longer after each refusal.

    Raises:
        ObserveError: one of these failed; nothing was read.
        SecretError: there is no password.

    """
    try:
        return _enter_once(server, context, mailbox)
    except _NoEntry:
        sleep(_SEEN_LATE)
    try:
        return _enter_once(server, context, mailbox)
    except _NoEntry as error:
        who = "the master user and its password" if server.master_user else "the user and the password"
        raise ObserveError(
            f"{server.where} does not let us into {mailbox}: {error}. Its scripts were not read; check {who}, and "
            "whether the account exists there, and plan again"
        ) from error


def _enter_once(server: ManageSieve, context: Context, mailbox: str) -> Session:
    client = _connected(server, context.base, mailbox)
    try:
        _log_in(client, server, context, mailbox)
    except (managesieve.MANAGESIEVE.error, OSError) as error:
        client.hang_up()
        raise _unreachable(server, mailbox, _reason(error)) from error
    except BaseException:
        client.hang_up()
        raise
    return Session(client)


class _NoEntry(Exception):  # noqa: N818 - an error only after some patience
    """The login was refused, in these words."""


def _connected(server: ManageSieve, base: Path, mailbox: str) -> Client:
    try:
        client = Client(server.host, server.port, server.timeout)
    except (managesieve.MANAGESIEVE.error, OSError, ValueError) as error:
        raise _unreachable(server, mailbox, _reason(error)) from error
    try:
        if server.starttls:
            _encrypt(client, server, base)
    except (managesieve.MANAGESIEVE.error, OSError, ValueError) as error:
        client.hang_up()
        raise _unreachable(server, mailbox, _reason(error)) from error
    except BaseException:
        client.hang_up()
        raise
    return client


def _encrypt(client: Client, server: ManageSieve, base: Path) -> None:
    file = str(base / Path(server.ca_file).expanduser()) if server.ca_file else None
    try:
        context = _tls(file, pinned=server.fingerprint is not None)
    except OSError as error:
        raise ObserveError(
            f"{file}, the certificates to trust for {server.where}, cannot be used: {_reason(error)}; mend ca_file"
        ) from error
    shown = client.encrypt(context, server.tls_name or server.host)
    if server.fingerprint is None:
        return
    found = hashlib.sha256(shown or b"").hexdigest()
    if not hmac.compare_digest(found, server.fingerprint.replace(":", "").lower()):
        raise ObserveError(
            f"{server.where} shows another certificate than the one in the options: its SHA-256 is {found}. Either it "
            "was renewed, or somebody stands between you and it; no password was sent. Compare it with the one on the "
            "server and only then correct fingerprint"
        )


@functools.lru_cache(maxsize=16)
def _tls(ca_file: str | None, *, pinned: bool) -> ssl.SSLContext:
    """One context for all mailboxes: loading the authorities takes longer than a login."""
    context = ssl.create_default_context(cafile=ca_file)
    if pinned:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared before anything is sent
    return context


def _log_in(client: Client, server: ManageSieve, context: Context, mailbox: str) -> None:
    user = filled(server.user, mailbox) or mailbox
    if server.master_user is None:
        reference = filled(server.password or "", mailbox)
        _authenticate(client, "", user, lambda: context.secrets.reveal(reference or ""))
        return
    master, password = server.master_user, server.master_password or ""
    if server.master_separator:
        name = f"{user}{server.master_separator}{master}"
        _authenticate(client, "", name, lambda: context.secrets.reveal(password))
    else:
        _authenticate(client, user, master, lambda: context.secrets.reveal(password))


def _authenticate(client: Client, acts_for: str, user: str, password: Callable[[], Secret]) -> None:
    """PLAIN (RFC 4616), or LOGIN where it is enough: it cannot say for whom an administrator acts."""
    if "PLAIN" in client.loginmechs:
        typ = client.authenticate("PLAIN", acts_for, user, password().reveal())
    elif "LOGIN" in client.loginmechs and not acts_for:
        typ = client.authenticate("LOGIN", user, password().reveal())
    else:
        raise client.abort(f"it offers no login with a password, only {' '.join(client.loginmechs) or 'none'}")
    if typ != "OK":
        raise _NoEntry(_words(client))


def _words(client: Client) -> str:
    code = f"({client.response_code}) " if client.response_code else ""
    return f"{code}{client.response_text or ''}".strip() or "it gave no reason"


def _unreachable(server: ManageSieve, mailbox: str, why: str) -> ObserveError:
    return ObserveError(
        f"{server.where} could not be asked by ManageSieve for the scripts of {mailbox}: {why}; check host, port and "
        "certificate, and whether the server runs, and plan again"
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or "it hung up"
