"""A provider of access tokens over HTTPS on loopback, with its accounts and what it has given, as Google and Microsoft.

It verifies what it is shown, signatures too, and refuses in the words that the providers use. Over plain HTTP it tells
a mail server whose a token is (RFC 7662).
"""

import base64
import json
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from reconciler.ports import Clock

SCOPE = "https://mail.google.com/"
MICROSOFT_SCOPE = "https://outlook.office365.com/.default"
LIFE = 3599

_DENIED = {
    "error": "unauthorized_client",
    "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not authorized "
    "for any of the scopes requested.",
}


@dataclass
class Given:
    """A token; ``user`` is None where it opens the mailboxes of all."""

    user: str | None
    until: datetime


@dataclass
class TokenServer:
    """``users`` exist; ``delegated`` and ``applications`` are who may ask; ``busy`` answers are given first."""

    clock: Clock
    tls: ssl.SSLContext
    users: set[str] = field(default_factory=set)
    delegated: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    applications: dict[tuple[str, str], str] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._doors = [_Door(self._tokens, self.tls), _Door(self._introspect, None)]

    @property
    def url(self) -> str:
        return f"https://localhost:{self._doors[0].port}"

    @property
    def introspection(self) -> str:
        return f"http://127.0.0.1:{self._doors[1].port}/introspect"

    def stop(self) -> None:
        for door in self._doors:
            door.stop()

    def service_account(self, name: str, *, delegated: bool = True) -> dict[str, str]:
        """A new account, and its key as Google's console gives it."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        email = f"{name}@project.iam.gserviceaccount.com"
        if delegated:
            self.delegated[email] = key.public_key()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "a1b2c3",
            "private_key": pem.decode(),
            "client_email": email,
            "client_id": "1234567890",
            "token_uri": f"{self.url}/token",
        }

    def opens(self, token: str) -> Given | None:
        """Whose mailbox a token opens now."""
        found = self.given.get(token)
        return found if found and self.clock.now() < found.until else None

    def _tokens(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        with self._lock:
            self.asked.append(path)
            if self.busy:
                return self.busy.pop(0), {"error": "temporarily_unavailable"}
            return self._google(form) if path == "/token" else self._microsoft(path, form)

    def _google(self, form: dict[str, str]) -> tuple[int, Any]:
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type", "error_description": "Invalid grant_type"}
        signed, _, signature = form.get("assertion", "").rpartition(".")
        head, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        public = self.delegated.get(claims.get("iss"))
        if public is None or claims.get("scope") != SCOPE:
            return 401, _DENIED
        try:
            assert (head["alg"], head["typ"], head["kid"]) == ("RS256", "JWT", "a1b2c3")
            public.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, AssertionError):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        now = self.clock.now().timestamp()
        timely = now - 300 <= claims["iat"] <= now + 300 and claims["iat"] < claims["exp"] <= claims["iat"] + 3600
        if not timely or claims["aud"] != f"{self.url}/token":
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT: not in a reasonable timeframe"}
        if claims["sub"] not in self.users:
            return 400, {"error": "invalid_grant", "error_description": "Invalid email or User ID"}
        return 200, self._give(claims["sub"])

    def _microsoft(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        tenant = path.removeprefix("/").removesuffix("/oauth2/v2.0/token")
        secret = self.applications.get((tenant, form.get("client_id", "")))
        if secret is None:
            said = "AADSTS700016: Application was not found in the directory."
            return 400, {"error": "unauthorized_client", "error_description": said}
        if form.get("client_secret") != secret:
            said = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0"
            return 401, {"error": "invalid_client", "error_description": said}
        if (form.get("grant_type"), form.get("scope")) != ("client_credentials", MICROSOFT_SCOPE):
            return 400, {"error": "invalid_scope", "error_description": "AADSTS1002012: the scope is not valid."}
        return 200, self._give(None)

    def _give(self, user: str | None) -> dict[str, Any]:
        token = f"ya29.token-{next(self._numbers)}"
        self.given[token] = Given(user, self.clock.now() + timedelta(seconds=LIFE))
        return {"access_token": token, "expires_in": LIFE, "token_type": "Bearer"}

    def _introspect(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        found = self.opens(form.get("token", "")) if path == "/introspect" else None
        return 200, {"active": True, "username": found.user} if found else {"active": False}


class _Door:
    def __init__(self, answer: Callable[[str, dict[str, str]], tuple[int, Any]], tls: ssl.SSLContext | None) -> None:
        class Handler(_Handler):
            give = staticmethod(answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that goes away is a test's
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    give: Callable[[str, dict[str, str]], tuple[int, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, told = self.give(self.path, form)
        answer = json.dumps(told).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        return


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
