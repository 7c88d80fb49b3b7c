"""Logins with a service account: what a spec names becomes something that gives a token for any user."""

from collections.abc import Callable

from reconciler.mailcopy.imap.login import OAuth2
from reconciler.mailcopy.imap.service_account import GoogleKey, Grant, MicrosoftApp, Tokens
from reconciler.model.secret import Secret
from reconciler.ports import Clock, Secrets
from reconciler.spec.service_account import ServiceAccount


class Program:
    """One service account; its tokens are shared by all mailboxes of a server."""

    def __init__(self, account: ServiceAccount, secrets: Secrets, clock: Clock) -> None:
        """Nothing is asked yet."""
        self._tokens = Tokens(_grant(account, secrets), clock)

    def login(self, user: str) -> OAuth2:
        """As this user."""
        return OAuth2(user, lambda: self._tokens.token(user), lambda refused: self._tokens.renew(user, refused))


def _grant(account: ServiceAccount, secrets: Secrets) -> Grant:
    def revealing(reference: str) -> Callable[[], Secret]:
        return lambda: secrets.reveal(reference)

    if account.microsoft:
        app = account.microsoft
        return MicrosoftApp(app.tenant, app.client, revealing(app.secret), app.authority, app.scope)
    assert account.google
    return GoogleKey(revealing(account.google))
