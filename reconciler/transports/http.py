"""The one HTTP client of all products with a web API.

It verifies TLS, may connect to an address while it verifies a name, has a time-out for everything and asks again only
what is safe to ask again (RFC 9110, section 9.2.1), when the server wishes (``Retry-After``, section 10.2.3). It
follows no redirect and no proxy of the environment: a password goes where the options say and nowhere else.
Messages name the method and the URL, and never what was sent.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from reconciler.errors import Unanswered
from reconciler.model.secret import Secret
from reconciler.ports import Clock
from reconciler.transports import http_tls

if TYPE_CHECKING:
    import httpx

_log: Final = logging.getLogger(__name__)
_CONNECT: Final = 15.0  # seconds
_READ: Final = 75.0  # seconds; web servers give up on the program behind them after 60, and their answer says more
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_BUSY: Final = (429, 502, 503, 504)
_TRIES: Final = 4
_PAUSE: Final = 0.5  # seconds before the second try, doubled before each further one
_LONGEST_PAUSE: Final = 60.0  # seconds; a server that wishes more is left alone
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Site:
    """Where an API is. ``url`` has no final slash; ``address`` is connected to instead of what its name leads to.

    ``fingerprint`` is the one certificate that is taken for good (``http_tls.Fingerprint``).
    """

    url: str
    address: str | None = None
    fingerprint: str | None = None

    def __str__(self) -> str:
        """For people."""
        return f"{self.url} (at {self.address})" if self.address else self.url

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart."""
        return urlsplit(self.url)

    @property
    def name(self) -> str:
        """The host that a certificate must name."""
        return self.parts.hostname or ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.parts.port or _PORTS[self.parts.scheme]

    @property
    def connects_to(self) -> str:
        """The URL with the address in the place of the name."""
        if not self.address:
            return self.url
        host = f"[{self.address}]" if ":" in self.address else self.address
        return self.parts._replace(netloc=f"{host}:{self.port}").geturl()


@dataclass(frozen=True, slots=True)
class Login:
    """HTTP Basic (RFC 7617)."""

    user: str = field(repr=False)  # some products take a key as the user's name
    password: Secret


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. ``path`` begins with a slash and is encoded; a form or ``content`` as it is, or neither."""

    method: str
    path: str
    login: Login | None = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status. ``asked`` is the method and URL; header names are in lower case."""

    asked: str
    status: int
    text: str = field(repr=False)  # it may be a session key
    headers: Mapping[str, str] = field(repr=False)


class Http:
    """Requests to one site, by any number of threads. Connections are kept until ``close``."""

    def __init__(self, site: Site, clock: Clock, pause: Callable[[float], None] = time.sleep) -> None:
        """Connect to nothing yet; ``pause`` takes seconds."""
        self.site = site
        self._clock = clock
        self._pause = pause
        self._opening = threading.Lock()
        self._client: httpx.Client | None = None

    def ask(self, request: Request) -> Answer:
        """One request and its answer; where that is safe, again after a failure or when the server is busy.

        Raises:
            Unanswered: there was no whole answer.

        """
        tries = _TRIES if request.method in _SAFE else 1
        for number in range(1, tries):
            between = _PAUSE * 2 ** (number - 1)
            try:
                answer = self._once(request)
            except Unanswered as failure:
                if isinstance(failure.__cause__, ssl.SSLError):
                    raise
            else:
                wish = self._wish(answer) if answer.status in _BUSY else None
                if answer.status not in _BUSY or (wish or 0) > _LONGEST_PAUSE:
                    return answer
                between = between if wish is None else wish
            self._pause(between)
        return self._once(request)

    def close(self) -> None:
        """End the connections."""
        with self._opening:
            if self._client:
                self._client.close()
            self._client = None

    def _once(self, request: Request) -> Answer:
        import httpx  # noqa: PLC0415 - slow to load, and most moves need no API

        asked = f"{request.method} {self.site.url}{request.path}"
        try:
            answer = self._connected().request(
                request.method,
                f"{self.site.connects_to}{request.path}",
                data=request.form,
                content=request.content,
                headers={"Host": self.site.parts.netloc, **request.headers},
                auth=(request.login.user, request.login.password.reveal()) if request.login else None,
                extensions={"sni_hostname": self.site.name},  # what is verified, whatever is connected to
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            distrust = _distrust(error)
            why = self._distrusted(distrust) if distrust else self._unreachable(error)
            raise Unanswered(f"{asked}: {why}. Nothing was sent", sent=False) from (distrust or error)
        except httpx.TimeoutException as error:
            raise Unanswered(f"{asked}: {self.site} gave no answer within {_READ:g} seconds", sent=True) from error
        except httpx.TransportError as error:
            raise Unanswered(f"{asked}: the answer of {self.site} was cut short ({_said(error)})", sent=True) from error
        except (httpx.DecodingError, httpx.InvalidURL) as error:
            raise Unanswered(
                f"{asked}: the answer of {self.site} cannot be read ({_said(error)})", sent=True
            ) from error
        _log.debug("%s: %d", asked, answer.status_code)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(asked, answer.status_code, answer.text, headers)

    def _connected(self) -> "httpx.Client":
        import httpx  # noqa: PLC0415 - as above

        with self._opening:
            if self._client is None:
                self._client = httpx.Client(
                    verify=http_tls.context(self.site.fingerprint),
                    timeout=httpx.Timeout(_READ, connect=_CONNECT),
                    follow_redirects=False,
                    trust_env=False,
                )
            return self._client

    def _wish(self, answer: Answer) -> float | None:
        """Seconds from now that ``Retry-After`` asks for, as a number or as a date."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max((at - self._clock.now()).total_seconds(), 0.0)

    def _unreachable(self, error: Exception) -> str:
        return (
            f"{self.site.address or self.site.name} port {self.site.port} cannot be reached ({_said(error)}); is the "
            "server up, is the name right, and does a firewall let this machine in?"
        )

    def _distrusted(self, error: ssl.SSLError) -> str:
        """Says what certificate is there, so that a person can compare it."""
        host = self.site.address or self.site.name
        found = http_tls.presented(host, self.site.port, self.site.name)
        if not isinstance(error, ssl.SSLCertVerificationError) or not found:
            return f"{host} port {self.site.port} and this machine cannot agree on TLS ({_reason(error)})"
        if self.site.fingerprint:
            return (
                f"{host} shows another certificate than the one in `fingerprint`: {http_tls.shown(found)} and not "
                f"{http_tls.shown(self.site.fingerprint)}. It was renewed, or this is another server, or somebody "
                "sits in between: compare it on the server itself before you change the option"
            )
        return (
            f"the certificate of {host} cannot be trusted for {self.site.name} ({_reason(error)}). Its SHA-256 "
            f"fingerprint is {http_tls.shown(found)}: if the server itself shows the same, write `fingerprint: "
            f"{http_tls.shown(found)}` into the options; else somebody sits in between"
        )


def _distrust(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS error behind a failed connection, if that was why."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", None) or error.reason or str(error)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
