"""How a mailbox is entered. Secrets are asked for at the moment of sending, again at every connection."""

from collections.abc import Callable
from dataclasses import dataclass

import imapclient

from reconciler.errors import LoginRefused
from reconciler.model.secret import Secret

Reveal = Callable[[], Secret]


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
class OAuth2:
    """XOAUTH2 with an access token; ``token`` is asked at every connection, for a token lives an hour.

    ``renew`` is told of a token that a server refused; True says that another one can be had.
    """

    user: str
    token: Reveal
    renew: Callable[[Secret], bool] = lambda _: False
    is_admin = False


Login = OwnPassword | MasterUser | Proxied | OAuth2


def log_in(client: imapclient.IMAPClient, login: Login, sent: list[Secret]) -> None:
    """Send the credentials; ``sent`` gets the secrets before they go, so that server's words can be freed of them.

    Raises:
        LoginRefused: the server offers no way to send them.
        imapclient.exceptions.IMAPClientError: the server said no; its words may hold what we sent.

    """
    match login:
        case OwnPassword(user, password):
            _password(client, user, _kept(password(), sent))
        case MasterUser(user, master, password, separator):
            _password(client, f"{user}{separator}{master}", _kept(password(), sent))
        case Proxied(user, admin, password):
            client.plain_login(admin, _kept(password(), sent), authorization_identity=user)
        case OAuth2(user, token):
            client.oauth2_login(user, _kept(token(), sent))


def _kept(secret: Secret, sent: list[Secret]) -> str:
    sent.append(secret)
    return secret.reveal()


def _password(client: imapclient.IMAPClient, user: str, secret: str) -> None:
    """LOGIN where it does: it takes one round trip, AUTHENTICATE two; PLAIN for what LOGIN cannot carry."""
    simple = (user + secret).isascii() and (user + secret).isprintable()
    if simple and not client.has_capability("LOGINDISABLED"):
        client.login('"' + user.replace("\\", "\\\\").replace('"', '\\"') + '"', secret)
    elif client.has_capability("AUTH=PLAIN"):
        client.plain_login(user, secret)
    else:
        raise LoginRefused(f"{client.host} offers no login with a password; it may want OAuth 2 for {user}")
