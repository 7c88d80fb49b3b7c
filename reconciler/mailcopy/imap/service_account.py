"""Access tokens that a provider gives to a program for the mailbox of any user of a domain.

* Google: a service account with domain-wide delegation signs a statement with its key and gets a token for one user
  (RFC 7523; Google, "Using OAuth 2.0 for Server to Server Applications"). The signing is ``cryptography``'s, which is
  here for DKIM anyway; what is around it is two pieces of JSON in BASE64 (RFC 7515, section 3.1), so no library for
  reading tokens, with its choice of algorithms, comes in.
* Microsoft 365: an application shows its secret and gets one token for all mailboxes that it may open (RFC 6749,
  section 4.4; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth").

A token is kept in memory only, until shortly before it ends.
"""

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from reconciler.errors import ConnectionCut, LoginRefused, SecretError, Unanswered
from reconciler.mailcopy.model.refusal import fit_for_people
from reconciler.model.secret import Secret
from reconciler.ports import Clock
from reconciler.transports.http import Answer, Http, Request, Site

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Reveal = Callable[[], Secret]

_EARLY: Final = timedelta(minutes=5)  # a login must be through before the token ends, and clocks differ
_LIFE: Final = 3600  # seconds, the longest that Google allows a statement
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GMAIL: Final = "https://mail.google.com/"
_BUSY: Final = (429, 500, 502, 503, 504)
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class Wish(NamedTuple):
    """Where a token is asked for, with what, and what of that no message may show."""

    site: Site
    path: str
    form: dict[str, str]
    secrets: tuple[str, ...]


class Grant(Protocol):
    """How one provider is asked. ``shared``: one token opens the mailboxes of all users. ``hint`` is for refusals."""

    @property
    def shared(self) -> bool:
        """See above."""

    @property
    def hint(self) -> str:
        """What to look after when the provider refuses."""

    def wish(self, user: str, now: datetime) -> Wish:
        """For a user's mailbox.

        Raises:
            SecretError: the key cannot be had or is none.

        """


@dataclass(frozen=True, slots=True)
class GoogleKey:
    """A service account by its key, which is a piece of JSON."""

    key: Reveal
    shared = False
    hint = f"the service account needs domain-wide delegation for {_GMAIL} (Admin console, Security, API controls)"

    def wish(self, user: str, now: datetime) -> Wish:
        """A statement of the account that it acts for the user, signed."""
        account = _key_file(self.key().reveal())
        issued = int(now.timestamp())
        claims = {
            "iss": account["client_email"],
            "sub": user,
            "scope": _GMAIL,
            "aud": account["token_uri"],
            "iat": issued,
            "exp": issued + _LIFE,
        }
        statement = _signed({"alg": "RS256", "typ": "JWT", "kid": account["private_key_id"]}, claims, account)
        url = urlsplit(account["token_uri"])
        form = {"grant_type": _GRANT, "assertion": statement}
        return Wish(Site(f"https://{url.netloc}"), url.path or "/", form, (statement,))


@dataclass(frozen=True, slots=True)
class MicrosoftApp:
    """An application of a tenant; ``authority`` is an https URL without a final slash."""

    tenant: str
    client: str
    secret: Reveal
    authority: str
    scope: str
    shared = True
    hint = "the application needs the permission IMAP.AccessAsApp with an administrator's consent, and a valid secret"

    def wish(self, user: str, now: datetime) -> Wish:  # noqa: ARG002 - one token for all users
        """The application's own credentials."""
        secret = self.secret().reveal()
        url = urlsplit(self.authority)
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": secret,
            "scope": self.scope,
        }
        site = Site(f"https://{url.netloc}")
        return Wish(site, f"{url.path}/{self.tenant}/oauth2/v2.0/token", form, (secret,))


class _Kept(NamedTuple):
    token: Secret
    until: datetime
    got: datetime


@dataclass(slots=True)
class Tokens:
    """The tokens of one service account, for any number of threads; each user's is asked for once."""

    grant: Grant
    clock: Clock
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def token(self, user: str) -> Secret:
        """A token that lives for some minutes at least.

        Raises:
            LoginRefused: the provider gives none for this user.
            ConnectionCut: it cannot be reached or is busy; it may give one later.
            SecretError: the key or secret cannot be had.

        """
        whose, lock = self._whose(user)
        with lock:
            known = self._kept.get(whose)
            if known is None or known.until <= self.clock.now():
                known = self._kept[whose] = self._fetch(user)
            return known.token

    def renew(self, user: str, refused: Secret) -> bool:
        """Forget a token that a mail server refused before its time; False if there is no newer one to be had.

        A token that was given a moment ago is refused for another reason.
        """
        whose, lock = self._whose(user)
        with lock:
            known = self._kept.get(whose)
            if known and known.token is refused:
                if self.clock.now() - known.got < _EARLY:
                    return False
                del self._kept[whose]
            return True

    def _whose(self, user: str) -> tuple[str, threading.Lock]:
        whose = "" if self.grant.shared else user
        return whose, self._locks.setdefault(whose, threading.Lock())

    def _fetch(self, user: str) -> _Kept:
        now = self.clock.now()
        wish = self.grant.wish(user, now)
        http = Http(wish.site, self.clock)
        try:
            answer = http.ask(Request("POST", wish.path, content=urlencode(wish.form).encode(), headers=_FORM))
        except Unanswered as error:
            raise ConnectionCut(f"no token for {user}: {error}", "try again") from error
        finally:
            http.close()
        told = _object(answer.text)
        token, seconds = told.get("access_token"), told.get("expires_in", _LIFE)
        if answer.status != 200 or not isinstance(token, str) or not token:  # noqa: PLR2004 - HTTP's OK
            raise self._refused(user, answer, told, wish.secrets)
        try:
            life = timedelta(seconds=int(seconds))
        except (TypeError, ValueError, OverflowError):
            life = timedelta(seconds=_LIFE)
        return _Kept(Secret(token), now + life - min(_EARLY, life / 2), now)

    def _refused(
        self, user: str, answer: Answer, told: dict[str, Any], secrets: tuple[str, ...]
    ) -> LoginRefused | ConnectionCut:
        """What the provider says (RFC 6749, section 5.2), never what it was sent."""
        said = ": ".join(str(told[name]) for name in ("error", "error_description") if told.get(name))
        words = fit_for_people(said or f"status {answer.status}", *secrets)
        if answer.status in _BUSY or told.get("error") in {"temporarily_unavailable", "server_error"}:
            return ConnectionCut(f"no token for {user} now, {answer.asked} says: {words}", "try again")
        return LoginRefused(f"no token for {user}, {answer.asked} says: {words}; {self.grant.hint}")


def _key_file(text: str) -> dict[str, str]:
    """The parts of a key that are used.

    Raises:
        SecretError: it is no key; the message shows nothing of it.

    """
    key = _object(text)
    wanted = ("client_email", "private_key", "private_key_id", "token_uri")
    missing = [name for name in wanted if not isinstance(key.get(name), str) or not key[name]]
    if key.get("type") != "service_account" or missing:
        raise SecretError(
            "the secret behind service_account.google is no JSON key of a service account"
            + (f": it has no {', '.join(missing)}" if missing else " (its type is another)")
            + "; make one in the Google Cloud console, IAM, service accounts, keys"
        )
    url = urlsplit(key["token_uri"])
    if url.scheme != "https" or not url.hostname:
        raise SecretError("the token_uri in the key of the service account is no https URL; nothing was sent")
    return {name: key[name] for name in wanted}


def _signed(head: dict[str, Any], claims: dict[str, Any], account: dict[str, str]) -> str:
    """A JSON Web Token in its compact form (RFC 7515, section 7.1), RS256 (RFC 7518, section 3.3)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only where a spec asks for it
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    signing = b".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    signature = _rsa_key(account["private_key"]).sign(signing, padding.PKCS1v15(), hashes.SHA256())
    return (signing + b"." + _base64(signature)).decode("ascii")


def _rsa_key(pem: str) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key: object = None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # their messages may quote the key
    if not isinstance(key, RSAPrivateKey):
        raise SecretError("the private_key in the key of the service account is no RSA key in PEM; make a new one")
    return key


def _base64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
