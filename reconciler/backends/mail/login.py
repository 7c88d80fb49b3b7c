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
    """XOAUTH2 with an access token; ``token`` is asked at every connection, for a token lives an hour."""

    user: str
    token: Reveal
    is_admin = False


Login = OwnPassword | MasterUser | Proxied | OAuth2


def log_in(client: imapclient.IMAPClient, login: Login) -> tuple[str, ...]:
    """Send the credentials; gives the secrets that were sent, so that server's words can be freed of them.

    Raises:
        LoginRefused: the server offers no way to send them.
        imapclient.exceptions.IMAPClientError: the server said no; its words may hold what we sent.

    """
    match login:
        case OwnPassword(user, password):
            return _password(client, user, password())
        case MasterUser(user, master, password, separator):
            return _password(client, f"{user}{separator}{master}", password())
        case Proxied(user, admin, password):
            secret = password().reveal()
            client.plain_login(admin, secret, authorization_identity=user)
            return (secret,)
        case OAuth2(user, token):
            secret = token().reveal()
            client.oauth2_login(user, secret)
            return (secret,)


def _password(client: imapclient.IMAPClient, user: str, password: Secret) -> tuple[str, ...]:
    """LOGIN where it does: it takes one round trip, AUTHENTICATE two; PLAIN for what LOGIN cannot carry."""
    secret = password.reveal()
    simple = (user + secret).isascii() and (user + secret).isprintable()
    if simple and not client.has_capability("LOGINDISABLED"):
        client.login('"' + user.replace("\\", "\\\\").replace('"', '\\"') + '"', secret)
    elif client.has_capability("AUTH=PLAIN"):
        client.plain_login(user, secret)
    else:
        raise LoginRefused(f"{client.host} offers no login with a password; it may want OAuth 2 for {user}")
    return (secret,)
