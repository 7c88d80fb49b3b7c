"""Logging in to a Mail-in-a-Box: once, with what the options lead to, and never again after a refusal.

Twenty refused logins in half a minute ban this machine at the box (its fail2ban), and a one-time code is taken only
once, so the session key that a login gives is used for everything else, by all threads.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

from reconciler.errors import SecretError, Unanswered
from reconciler.model.secret import Secret
from reconciler.ports import Clock, Secrets
from reconciler.products.mailinabox import totp as miab_totp
from reconciler.products.mailinabox.options import BoxOptions
from reconciler.transports.http import Answer, Http, Login, Request

_OK: Final = 200
_WRONG: Final = "Incorrect email address or password."
_USED: Final = "invalid-totp-token"
_MISSING: Final = "missing-totp-token"
_SAYS_WHY: Final = {
    _WRONG: "the box knows no such administrator and password; see `email` and what `password` leads to",
    "You are not an administrator.": "the login is right, but that user is no administrator of the box: make it one "
    "there (Users, make admin), or use another",
    _MISSING: "this administrator has two-factor authentication: give `totp`, a reference to its secret",
    _USED: "the box did not take the one-time code: is the clock right here and on the box, and is `totp` the secret "
    "of this administrator?",
}


class LoginRefused(Exception):  # noqa: N818 - it says what happened; turned into an ObserveError or WriteError
    """The box does not let us in; ``str()`` is the whole message."""


class Entrance:
    """The way in: one session, shared by whoever asks."""

    def __init__(
        self, options: BoxOptions, http: Http, secrets: Secrets, clock: Clock, pause: Callable[[float], None]
    ) -> None:
        """Log in when first asked."""
        self._options = options
        self._http = http
        self._secrets = secrets
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._refusal = ""
        self._used = ""

    def login(self) -> Login:
        """What to send with a request.

        Raises:
            LoginRefused: the box refused, now or before: it is not asked again.
            SecretError: a reference leads nowhere.
            Unanswered: the box was not heard.

        """
        with self._lock:
            if self._refusal:
                raise LoginRefused(self._refusal)
            if self._login is None:
                self._login = self._made()
            return self._login

    def lost(self, login: Login, reason: str, *, again: bool) -> None:
        """A request was refused with this login: forget a session that has ended, so that ``login`` makes another.

        Raises:
            LoginRefused: there is no other way in, or it was refused again.

        """
        with self._lock:
            if self._login is not login and not again:  # another thread has noticed before
                return
            if self._options.password and reason == _WRONG and not again:
                self._login = None  # the daemon was restarted, or somebody changed the password or the codes
                return
            self._refuse(reason)

    def leave(self) -> None:
        """End our session; a box that cannot be reached forgets it in two days."""
        with self._lock:
            login, self._login = self._login, None
            if login and self._options.password:
                try:
                    self._http.ask(Request("POST", "/logout", login))
                except Unanswered:
                    return

    def _made(self) -> Login:
        options = self._options
        if options.api_key:
            key = self._secrets.reveal(options.api_key)
            return Login(options.email, key) if options.email else Login(key.reveal(), Secret(""))
        assert options.email
        assert options.password
        password = self._secrets.reveal(options.password)
        if not password.reveal().isascii():
            self._refuse(
                "the administrator's password has characters outside ASCII, and the box's API cannot take it: give "
                "that administrator another password, or use another administrator"
            )
        return Login(options.email, Secret(self._session_key(Login(options.email, password))))

    def _session_key(self, login: Login) -> str:
        """From ``/login``; after a code that an earlier run has used there is one more try with the next."""
        found = self._asked(login)
        if found.get("reason") == _USED and self._options.totp:
            self._pause(miab_totp.until_next(self._clock.now()))
            found = self._asked(login)
        if found.get("status") != "ok":
            self._refuse(str(found.get("reason") or found.get("status")))
        if "admin" not in found.get("privileges", ()):
            self._refuse("You are not an administrator.")
        return str(found["api_key"])

    def _asked(self, login: Login) -> dict[str, Any]:
        headers = {"X-Auth-Token": self._code()} if self._options.totp else {}
        answer = self._http.ask(Request("POST", "/login", login, headers=headers))
        found = _content(answer)
        if answer.status != _OK or "status" not in found:
            raise Unanswered(
                f"{answer.asked}: no answer of a Mail-in-a-Box (status {answer.status}); is this the URL of its "
                "control panel?",
                sent=True,
            )
        return found

    def _code(self) -> str:
        """A code that was not sent before."""
        assert self._options.totp
        secret = self._secrets.reveal(self._options.totp)
        try:
            code = miab_totp.code(secret, self._clock.now())
            if code == self._used:
                self._pause(miab_totp.until_next(self._clock.now()))
                code = miab_totp.code(secret, self._clock.now())
        except ValueError as error:
            raise SecretError(f"{self._options.totp}: it cannot be used for one-time codes: {error}") from None
        self._used = code
        return code

    def _refuse(self, reason: str) -> NoReturn:
        who = f" for {self._options.email}" if self._options.email else ""
        why = _SAYS_WHY.get(reason, reason)
        if self._options.api_key and reason == _WRONG:
            why = "it does not know the key: keys are lost when its management daemon restarts; see what `api_key` is"
        self._refusal = (
            f"{self._http.site} refused the login{who}: {why}. It was asked once and will not be again, because it "
            "locks out who fails often"
        )
        raise LoginRefused(self._refusal)


def _content(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
