"""How a mailbox is entered. Secrets are asked for at the moment of sending, again at every connection."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reconciler.mailcopy.imap.credentials import Sent
from reconciler.mailcopy.imap.dialogue import Dialogue, Reply
from reconciler.model.secret import Secret

Reveal = Callable[[], Secret]

_UNSENDABLE: Final = frozenset("\0\r\n")
_BARE: Final = re.compile(rb"[A-Za-z0-9@._-]+")


@dataclass(frozen=True, slots=True)
class OwnPassword:
    """The user's own name and password."""

    user: str
    password: Reveal
    is_admin = False


@dataclass(frozen=True, slots=True)
class MasterUser:
    """Dovecot's master user: ``user*master`` with the master's password (auth_master_user_separator)."""

    user: str
    master: str
    password: Reveal
    separator: str = "*"
    is_admin = True


@dataclass(frozen=True, slots=True)
class Proxied:
    """An administrator who acts for the user: SASL PLAIN with an authorisation identity (RFC 4616)."""

    user: str
    admin: str
    password: Reveal
    is_admin = True


@dataclass(frozen=True, slots=True)
class ProxyAuth:
    """A store administrator who logs in and becomes the user by the command PROXYAUTH.

    Sun's, iPlanet's, Netscape's and Oracle's servers have it and do not announce it; what stands in front of them (the
    MMP) knows ``Proxied`` only (Sun's wiki of the Messaging Server, "MMP Proxyauth"; imapsync, FAQ.General).
    """

    user: str
    admin: str
    password: Reveal
    is_admin = True


@dataclass(frozen=True, slots=True)
class MasterAuth:
    """A master password without a name: X-MASTERAUTH, then X-SETUSER.

    The answer to the challenge is the MD5 of challenge and password, in hexadecimal digits (Kerio Connect, "IMAP Master
    Authentication").
    """

    user: str
    password: Reveal
    is_admin = True


@dataclass(frozen=True, slots=True)
class OAuth2:
    """XOAUTH2 with an access token; ``token`` is asked at every connection, for a token lives an hour.

    ``renew`` is told of a token that a server refused; True says that another one can be had.
    """

    user: str
    token: Reveal
    renew: Callable[[Secret], bool] = lambda _: False
    is_admin = False


Login = OwnPassword | MasterUser | Proxied | ProxyAuth | MasterAuth | OAuth2


class Denied(Exception):  # noqa: N818
    """A server said no; ``words`` are its own and may hold what was sent, ``hint`` says what a person can do."""

    def __init__(self, words: str, hint: str = "") -> None:
        """Keep the words out of the message, which somebody may show."""
        self.words, self.hint = words, hint
        super().__init__("a server refused a login")


class NotSent(Exception):  # noqa: N818
    """Nothing of the credentials was sent; the message says why and holds nothing of them."""


def log_in(dialogue: Dialogue, login: Login, sent: Sent) -> None:
    """Send the credentials; ``sent`` learns of them before they go, so that the server's words can be freed of them.

    Raises:
        NotSent: the server offers no way to send them, or there is none at all.
        LoginRefused: whoever gives the tokens refuses one.
        Denied: the server said no.
        HungUp: the connection is gone.

    """
    match login:
        case OwnPassword(user, password):
            _password(dialogue, user, password, sent)
        case MasterUser(user, master, password, separator):
            _password(dialogue, f"{user}{separator}{master}", password, sent)
        case Proxied(user, admin, password):
            _plain(dialogue, user, admin, sent.reveal(password()), sent)
        case ProxyAuth(user, admin, password):
            _password(dialogue, admin, password, sent)
            hint = f"is {admin} a store administrator there? Where PROXYAUTH is not known, login: authzid may do"
            _become(dialogue, b"PROXYAUTH", user, hint)
        case MasterAuth(user, password):
            _master(dialogue, sent.reveal(password()), sent)
            _become(dialogue, b"X-SETUSER", user, "the master password is right; is there such a user?")
        case OAuth2(user, token):
            _token(dialogue, user, sent.reveal(token()), sent)


def _password(dialogue: Dialogue, user: str, password: Reveal, sent: Sent) -> None:
    """LOGIN where it does: it takes one round trip, AUTHENTICATE two; PLAIN for what quotes cannot carry.

    Where there is no PLAIN, that goes by LOGIN with literals, in UTF-8 (RFC 3501, section 6.2.3).
    """
    is_plain = "AUTH=PLAIN" in dialogue.announced
    if "LOGINDISABLED" in dialogue.announced and not is_plain:
        raise NotSent(f"it offers no login with a password; it may want OAuth 2 for {user}")
    secret = sent.reveal(password())
    quotable = (user + secret).isascii() and (user + secret).isprintable()
    if is_plain and ("LOGINDISABLED" in dialogue.announced or not quotable):
        _plain(dialogue, "", user, secret, sent)
        return
    strings = _octets(user, "login name"), _octets(secret, "password")
    _done(dialogue.ask(b"LOGIN", strings=strings), _encoding_of(user, secret))


def _plain(dialogue: Dialogue, user: str, admin: str, secret: str, sent: Sent) -> None:
    names = (_octets(user, "login name"), _octets(admin, "login name"), _octets(secret, "password"))
    reply = _authenticate(dialogue, b"PLAIN", sent.encoded(b"\0".join(names)), [])
    _done(reply, _encoding_of(user + admin, secret))


def _token(dialogue: Dialogue, user: str, token: str, sent: Sent) -> None:
    """A refusal comes as a challenge that says why, which an empty line answers (Google, "OAuth 2.0 Mechanism")."""
    answer = sent.encoded(b"user=%s\1auth=Bearer %s\1\1" % (_octets(user, "login name"), _octets(token, "token")))
    reasons: list[bytes] = []
    reply = _authenticate(dialogue, b"XOAUTH2", answer, reasons)
    why = " ".join(map(_decoded, reasons))
    _done(reply._replace(words=f"{reply.words} {why}".strip()))


def _authenticate(dialogue: Dialogue, mechanism: bytes, answer: bytes, reasons: list[bytes]) -> Reply:
    """With the answer at once where the server announces that it takes it so (SASL-IR, RFC 4959), unless it does not.

    ``reasons`` gets each challenge that does not ask for the answer: the first one does, whatever it says, unless the
    answer was there before.
    """
    answers = iter((answer,))

    def first(challenge: bytes) -> bytes:
        return next(answers, b"") or more(challenge)

    def more(challenge: bytes) -> bytes:
        if not challenge:
            return answer
        reasons.append(challenge)
        return b""

    if "SASL-IR" in dialogue.announced:
        reply = dialogue.ask(b"AUTHENTICATE", mechanism, answer, challenged=more)
        if reply.status != "BAD":
            return reply
    return dialogue.ask(b"AUTHENTICATE", mechanism, challenged=first)


def _master(dialogue: Dialogue, secret: str, sent: Sent) -> None:
    octets = _octets(secret, "password")

    def challenged(challenge: bytes) -> bytes:
        digest = hashlib.md5(challenge.strip() + octets, usedforsecurity=False).hexdigest()
        return sent.derived(digest).encode()

    reply = dialogue.ask(b"X-MASTERAUTH", challenged=challenged)
    _done(reply, "is master authentication on there, also for this machine's address, with this password?")


def _become(dialogue: Dialogue, command: bytes, user: str, hint: str) -> None:
    """Without quotes where a name needs none, as others send it, for these are no standard's commands."""
    name = _octets(user, "login name")
    bare = _BARE.fullmatch(name) is not None
    _done(dialogue.ask(command, name) if bare else dialogue.ask(command, strings=(name,)), hint)


def _done(reply: Reply, hint: str = "") -> None:
    if not reply.ok:
        raise Denied(reply.words, hint)


def _octets(text: str, what: str) -> bytes:
    """In UTF-8 (RFC 4616; RFC 3501 does not say).

    Raises:
        NotSent: no login can carry it; neither the message nor what is behind it holds the text.

    """
    if not _UNSENDABLE.isdisjoint(text):
        raise NotSent(f"the {what} holds a line end or NUL, which no login can carry; nothing was sent")
    octets = text.encode("utf-8", "replace")
    if octets.decode() != text:  # an exception of the codec would hold the text
        raise NotSent(f"the {what} cannot be encoded: it is no UTF-8; nothing was sent")
    return octets


def _encoding_of(user: str, secret: str) -> str:
    """What may be the trouble though the credentials are right."""
    if user.isascii() and secret.isascii():
        return ""
    what = "login name" if secret.isascii() else "password"
    return f"the {what} is outside ASCII and was sent as UTF-8; if it is right, this server wants one in ASCII"


def _decoded(challenge: bytes) -> str:
    try:
        return base64.b64decode(challenge, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return challenge.decode("utf-8", "replace")
