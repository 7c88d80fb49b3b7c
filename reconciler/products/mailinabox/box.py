"""One Mail-in-a-Box behind its management API, as this process talks to it.

Its daemon serves one call after the other and has three ways to fail: it refuses (400 and a sentence), it breaks in the
middle (500, and part of the change is made), or no whole answer comes. After the last two nothing is known until the
box has been read again, and nothing is ever sent again blindly.

Source: Mail-in-a-Box 75, management/daemon.py and auth.py.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from weakref import WeakValueDictionary

from reconciler.errors import ObserveError, SecretError, Unanswered, WriteError
from reconciler.ports import Clock, Secrets
from reconciler.products.mailinabox.login import Entrance, LoginRefused
from reconciler.products.mailinabox.options import BoxOptions
from reconciler.transports.http import Answer, Http, Request

_OK, _BAD_REQUEST, _BROKEN = 200, 400, 500
_NO_LOGIN: Final = (401, 403)
_NO_CALL: Final = (404, 405)
_LONGEST_QUOTE: Final = 300  # characters of an answer in a message


class Doubtful(Exception):  # noqa: N818 - what it means is found out by reading
    """The box may have made the change, or half of it; ``str()`` says what happened."""


class Box:
    """Calls to one box with one login. ``where`` is what people call it."""

    def __init__(
        self, options: BoxOptions, secrets: Secrets, clock: Clock, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Connect to nothing yet."""
        self.where = f"Mail-in-a-Box {options.site.name}"
        self.administrator = options.email
        self._http = Http(options.site, clock, pause)
        self._entrance = Entrance(options, self._http, secrets, clock, pause)
        self._users = 0
        self._counting = threading.Lock()

    def opened(self) -> "Box":
        """One more user; each of them closes it."""
        with self._counting:
            self._users += 1
        return self

    def close(self) -> None:
        """The last one to close it logs out."""
        with self._counting:
            self._users -= 1
            if not self._users:
                self._entrance.leave()
                self._http.close()

    def text(self, path: str) -> str:
        """What a GET gives.

        Raises:
            ObserveError: nothing usable.

        """
        try:
            answer = self._ask(Request("GET", path))
        except (LoginRefused, Unanswered, SecretError) as error:
            raise ObserveError(f"{self.where} could not be read: {error}. Nothing was changed") from error
        if answer.status != _OK:
            raise ObserveError(f"{self.where} could not be read: {_said(answer)}")
        return answer.text

    def json(self, path: str) -> Any:
        """What a GET gives, decoded.

        Raises:
            ObserveError: nothing usable.

        """
        text = self.text(path)
        try:
            return json.loads(text)
        except ValueError as error:
            raise self.unreadable(path, f"{len(text)} characters that are no whole JSON ({error})") from error

    def unreadable(self, path: str, what: str) -> ObserveError:
        """What to raise where an answer is not what the API gives."""
        return ObserveError(
            f"{self.where} could not be read: GET {path} gave {what}. Nothing was changed; try again, and if it stays, "
            "see whether its version is one that this was made for (75)"
        )

    def post(self, path: str, **form: str) -> str:
        """Ask for a change by a form; what the box says of it.

        Raises:
            WriteError: the box refused; nothing was changed.
            Doubtful: it is not known what was changed.

        """
        return self._change(Request("POST", path, form=form))

    def send(self, method: str, path: str, body: str) -> str:
        """The same with a body as it is."""
        return self._change(Request(method, path, content=body.encode("ascii")))

    def _change(self, request: Request) -> str:
        try:
            answer = self._ask(request)
        except Unanswered as error:
            if error.sent:
                raise Doubtful(str(error)) from error
            raise WriteError(f"{self.where} could not be written: {error}") from error
        except (LoginRefused, SecretError) as error:
            raise WriteError(f"{self.where} could not be written: {error}. Nothing was changed") from error
        if answer.status >= _BROKEN:
            raise Doubtful(_said(answer))
        if answer.status != _OK:
            raise WriteError(f"{self.where} refused: {_said(answer)}. Nothing was changed")
        return answer.text

    def _ask(self, request: Request) -> Answer:
        """With the login; a session that the box has forgotten is replaced once: nothing was done then."""
        for again in (False, True):
            login = self._entrance.login()
            answer = self._http.ask(replace(request, login=login))
            if answer.status not in _NO_LOGIN:
                return answer
            self._entrance.lost(login, answer.headers.get("x-reason") or answer.text.strip(), again=again)
        raise AssertionError(request.method)


_boxes: WeakValueDictionary[tuple[object, ...], Box] = WeakValueDictionary()
_choosing = threading.Lock()


def box(options: BoxOptions, secrets: Secrets, clock: Clock) -> Box:
    """The box of these options: the same for its mail and its zones, because a one-time code logs in only once."""
    key = (options.site, options.email, options.password, options.totp, options.api_key)
    with _choosing:
        found = _boxes.get(key) or Box(options, secrets, clock)
        _boxes[key] = found
        return found.opened()


def _said(answer: Answer) -> str:
    """The sentence of a refusal; of anything else the status, because its body is a page for browsers."""
    text = " ".join(answer.text.split())
    if answer.status in _NO_CALL:
        return (
            f"{answer.asked} does not exist there (status {answer.status}): is this the URL of its control panel, and "
            "its version one that this was made for (75)?"
        )
    if answer.status == _BAD_REQUEST or (answer.status >= _BROKEN and "<" not in text and text):
        return f"{answer.asked}: {text[:_LONGEST_QUOTE]}"
    if answer.status == _BROKEN:
        return (
            f"{answer.asked} broke off with an internal error (status 500); its log (journalctl -u mailinabox) says why"
        )
    return f"{answer.asked} was answered with status {answer.status}"
