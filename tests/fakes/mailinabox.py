"""A fake Mail-in-a-Box: its management API with state, over HTTP or HTTPS on loopback, failing as a test wishes.

It is held to the recorded answers of the real one (``test_mailinabox.py`` beside it).
"""

import json
import ssl
import threading
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.ports import Clock
from tests.fakes.mailinabox_state import Broken, Refused, State, User
from tests.fakes.mailinabox_zones import TYPES

PAGE = "<!doctype html>\n<html lang=en>\n<title>{0} {1}</title>\n<h1>{1}</h1>\n"
NAMES = {404: "Not Found", 405: "Method Not Allowed", 500: "Internal Server Error"}
GETS = {
    "/mail/users",
    "/mail/aliases",
    "/mail/domains",
    "/mail/users/privileges",
    "/mail/users/quota",
    "/dns/zones",
    "/dns/dump",
}
POSTS = {
    "/login",
    "/logout",
    "/mail/users/add",
    "/mail/users/remove",
    "/mail/users/password",
    "/mail/users/quota",
    "/mail/users/privileges/add",
    "/mail/users/privileges/remove",
    "/mail/aliases/add",
    "/mail/aliases/remove",
    "/dns/update",
    "/mfa/totp/enable",
    "/mfa/disable",
}


Reply = tuple[int, dict[str, str], str]


class FakeBox:
    """One box. ``calls`` are the (method, path) that came; ``faults`` are what happens to the next ones that match.

    A fault is (beginning of "METHOD path", what): ``break``: 500 and nothing done; ``break after``: 500 after it was
    done; ``drop after``: done, and no answer; ``half``: done, and half of the answer; ``busy SECONDS``: 503 with
    Retry-After.
    """

    def __init__(self, clock: Clock, *, tls: ssl.SSLContext | None = None, **state: Any) -> None:
        self.state = State(clock, **state)
        self.calls: list[tuple[str, str]] = []
        self.refused = 0
        self.faults: deque[tuple[str, str]] = deque()
        self.lock = threading.Lock()
        box = self

        class Handler(_Handler):
            fake = box

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https" if tls else "http"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        return f"admin@{self.state.primary}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def fault(self, call: str, what: str) -> None:
        self.faults.append((call, what))

    def asked(self, beginning: str) -> int:
        return sum(f"{method} {path}".startswith(beginning) for method, path in self.calls)

    # What it answers: status, headers, body

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> Reply:
        with self.lock:
            self.calls.append((method, path))
            what = ""
            if self.faults and f"{method} {path}".startswith(self.faults[0][0]):
                what = self.faults.popleft()[1]
            if what == "break":
                return _page(500)
            if what.startswith("busy"):
                return 503, {"Retry-After": what.partition(" ")[2]}, "busy"
            if what == "dovecot down":
                self.state.dovecot = False
            found = self._answer(method, path, body, headers)
            if what == "break after":
                return _page(500)
            if what in {"drop after", "half"}:
                return found[0], {**found[1], "X-Fault": what}, found[2]
            return found

    def _answer(self, method: str, target: str, body: bytes, headers: Any) -> Reply:  # noqa: PLR0911 - one a case
        path = unquote(urlsplit(target).path).removeprefix("/admin")
        query = dict(parse_qsl(urlsplit(target).query))
        known = _methods(path)
        if method not in known:
            return _method_not_allowed(known) if known else _page(404)
        user, password, refusal = self._who(path, headers)
        if path == "/login":
            return self._login(user, refusal)
        if path == "/logout":
            self.state.sessions.pop(password, None)
            return _json({"status": "ok"})
        if refusal:
            return _unauthorised(refusal, headers)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True)) if method == "POST" else {}
        if method in {"POST", "PUT"} and path.endswith(("/A", "/AAAA")) and not body:
            body = headers.get("X-Forwarded-For", "").encode()  # dynamic DNS: the address of whoever asks
        try:
            if path.startswith("/dns/custom"):
                return self._custom(method, path.removeprefix("/dns/custom").removeprefix("/"), body)
            return self._read(path, query) if method == "GET" else self._write(path, form, user)
        except Refused as why:
            return _text(str(why), 400)
        except Broken:
            return _page(500)

    def _who(self, path: str, headers: Any) -> tuple[str, str, str]:
        """User, password and, if that is nobody who may call this, why."""
        user, password = _basic(headers.get("Authorization"))
        if path == "/logout":
            return user, password, ""
        refusal = ""
        try:
            email = self.state.authenticate(user, password, headers.get("X-Auth-Token"), at_login=path == "/login")
            if path != "/login" and email and "admin" not in self.state.users[email].privileges:
                refusal = "You are not an administrator."
        except Refused as why:
            refusal = "Authorization header invalid." if not headers.get("Authorization") else str(why)
        self.refused += bool(refusal)
        return user, password, refusal

    def _login(self, user: str, refusal: str) -> Reply:
        if refusal:
            status = refusal if refusal == "missing-totp-token" else "invalid"
            return _json({"reason": refusal, "status": status})
        privileges = self.state.users[user].privileges
        key = self.state.log_in(user)
        return _json({"api_key": key, "email": user, "privileges": privileges, "status": "ok"})

    def _read(self, path: str, query: dict[str, str]) -> Reply:
        state = self.state
        if path.startswith("/dns/zonefile/"):
            zone = path.removeprefix("/dns/zonefile/")
            if zone not in state.domains.zones(state.primary):
                raise Broken
            return _text(state.zones.written[zone], kind="text/plain")
        as_json = "format" in query
        calls: dict[str, Callable[[], Reply]] = {
            "/mail/users": lambda: _json(self._users()) if as_json else _lines(state.users),
            "/mail/aliases": lambda: _json(self._aliases()) if as_json else _text(self._alias_lines()),
            "/mail/domains": lambda: _lines(state.domains.mail),
            "/mail/users/privileges": lambda: _text("\n".join(self._user(query["email"]).privileges)),
            "/mail/users/quota": lambda: self._quota(query),
            "/dns/zones": lambda: _json(state.domains.zones(state.primary)),
            "/dns/dump": lambda: _json(self._dump()),
        }
        return calls[path]()

    def _write(self, path: str, form: dict[str, str], user: str) -> Reply:
        state = self.state
        calls: dict[str, Callable[[], str]] = {
            "/mail/users/add": lambda: state.add_user(form),
            "/mail/users/remove": lambda: state.remove_user(form),
            "/mail/users/password": lambda: state.set_password(form),
            "/mail/users/quota": lambda: state.set_quota(form),
            "/mail/users/privileges/add": lambda: state.privilege(form, add=True),
            "/mail/users/privileges/remove": lambda: state.privilege(form, add=False),
            "/mail/aliases/add": lambda: state.add_alias(form),
            "/mail/aliases/remove": lambda: state.remove_alias(form),
            "/dns/update": lambda: state.write_zones(force=form.get("force") == "1"),
            "/mfa/totp/enable": lambda: self._enable(form, user),
            "/mfa/disable": lambda: self._disable(form, user),
        }
        return _text(calls[path]())

    def _user(self, email: str) -> User:
        if email not in self.state.users:
            raise Refused(f"That's not a user ({email}).")
        return self.state.users[email]

    def _quota(self, query: dict[str, str]) -> Reply:
        email = query["email"]
        try:
            quota: Any = self._user(email).quota
        except Refused as why:
            if query.get("text"):
                raise
            quota = [str(why), 400]
        return _text(quota) if query.get("text") else _json({"email": email, "quota": quota})

    def _users(self) -> list[dict[str, Any]]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for email, user in sorted(self.state.users.items()):
            row = {"box_quota": 0, "box_size": "0.0", "email": email, "percent": "", "privileges": user.privileges}
            rows.setdefault(_domain(email), []).append({**row, "quota": user.quota, "status": "active"})
        for email in sorted(self.state.left):
            where = f"/home/user-data/mail/mailboxes/{_domain(email)}/{email.partition('@')[0]}"
            row = {"box_quota": "?", "box_size": "?", "email": email, "mailbox": where, "percent": "?"}
            rows.setdefault(_domain(email), []).append({**row, "privileges": [], "status": "inactive"})
        return [{"domain": domain.encode().decode("idna"), "users": users} for domain, users in rows.items()]

    def _aliases(self) -> list[dict[str, Any]]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for address, (targets, senders, auto) in self.state.alias_rows().items():
            row = {
                "address": address,
                "address_display": _pretty(address),
                "auto": auto,
                "forwards_to": [_pretty(target) for target in targets.split(",")],
                "permitted_senders": [_pretty(sender) for sender in senders.split(",")] if senders else None,
            }
            rows.setdefault(_domain(address), []).append(row)
        return [{"aliases": aliases, "domain": domain.encode().decode("idna")} for domain, aliases in rows.items()]

    def _alias_lines(self) -> str:
        rows = [(a, t, s or "") for a, (t, s, _) in self.state.alias_rows().items()]
        idn = [(f"@{_pretty(d)}", f"@{d}", "") for d in self.state.domains.mail if _pretty(d) != d]
        return "".join("\t".join(row) + "\n" for row in [*rows, *idn])

    def _dump(self) -> list[Any]:
        state = self.state
        zones = state.domains.zones(state.primary)
        own = {(state.primary, "A"), *((f"ns{n}.{state.primary}", "A") for n in (1, 2))}
        return [
            [
                zone,
                [
                    {"explanation": "", "qname": q, "rtype": t, "value": v}
                    for q, t, v in state.zones.dump(zone, state.domains)
                    if (q, t) not in own or q == state.primary
                ],
            ]
            for zone in zones
        ]

    # Custom records

    def _custom(self, method: str, rest: str, body: bytes) -> Reply:
        zones = self.state.zones
        name, _, rtype = rest.partition("/")
        rtype = rtype.upper() or "A"
        if method == "GET":
            return _json([self._row(n, r) for n, r in enumerate(zones.custom) if not rest or r[:2] == (name, rtype)])
        value = body.decode("ascii", "ignore").strip()
        if not any(name == z or name.endswith(f".{z}") for z in self.state.domains.zones(self.state.primary)):
            raise Refused(f"{name} is not a domain name or a subdomain of a domain name managed by this box.")
        if any(c in name for c in " \t"):
            raise Refused("Invalid name.")
        if method == "DELETE" and not value:
            kept = [r for r in zones.custom if r[:2] != (name, rtype)]
        else:
            value = self._value(name, rtype, value)
            if not value:
                return _text("OK")
            others = [r for r in zones.custom if r[:2] != (name, rtype)] if method == "PUT" else list(zones.custom)
            record = (name, rtype, value)
            kept = [r for r in others if r != record]
            if method == "POST" and record in zones.custom:
                kept = list(zones.custom)
            elif method != "DELETE":
                kept.append(record)
        if kept == zones.custom or (sorted(kept) == sorted(zones.custom)):
            return _text("OK")
        zones.custom[:] = kept
        return _text(self.state.write_zones() or "Something isn't right.")

    def _value(self, name: str, rtype: str, value: str) -> str:
        """Checked as little as the real one does; empty: nothing to do."""
        if rtype not in TYPES:
            raise Refused(f"Unknown record type '{rtype}'.")
        if rtype in {"A", "AAAA"} and value not in {"", "local"}:
            if not all(c in "0123456789abcdef.:" for c in value) or ("." not in value and ":" not in value):
                raise Refused(f"{value!r} does not appear to be an IPv4 or IPv6 address")
            if (":" in value) != (rtype == "AAAA"):
                raise Refused("That's an IPv6 address." if ":" in value else "That's an IPv4 address.")
        elif rtype in {"A", "AAAA"}:
            return value
        elif not value:
            raise Refused("No value for the record provided.")
        if rtype == "NS" and name in self.state.domains.zones(self.state.primary):
            raise Refused("NS records can only be set for subdomains.")
        return value if rtype not in {"CNAME", "NS"} or value.endswith(".") else f"{value}."

    def _row(self, number: int, record: tuple[str, str, str]) -> dict[str, Any]:
        name, rtype, value = record
        zones = self.state.domains.zones(self.state.primary)
        zone = next((z for z in zones if name == z or name.endswith(f".{z}")), None)
        order = {"created": number, "qname": number}
        row = {"qname": name, "rtype": rtype, "sort-order": order, "value": value}
        return {**row, "zone": zone} if zone else row

    # Two-factor authentication

    def _enable(self, form: dict[str, str], user: str) -> str:
        if not {"secret", "token"} <= form.keys():
            raise Refused("Bad Input")
        self.state.users[user].totp = form["secret"]
        try:
            password = self.state.users[user].password
            self.state.authenticate(user, password, form["token"], at_login=True)
        except Refused:
            self.state.users[user].totp = None
            raise Refused("Invalid token.") from None
        self.state.users[user].last_code = ""
        self.state.forget(user)
        return "OK"

    def _disable(self, form: dict[str, str], user: str) -> str:
        known = self.state.users.get(form.get("user", user))
        if known is None or not known.totp:
            raise Refused("Invalid user or MFA id.")
        known.totp = None
        self.state.forget(form.get("user", user))
        return "OK"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    fake: FakeBox

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, text = self.fake.answer(self.command, self.path, body, self.headers)
        fault = headers.pop("X-Fault", "")
        if fault == "drop after":
            self.close_connection = True
            return
        content = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "half" else content)
        self.close_connection = self.close_connection or fault == "half"

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - names that http.server calls

    def log_message(self, *_: Any) -> None:
        return


def _methods(path: str) -> set[str]:
    if path.startswith("/dns/custom/"):
        return {"GET", "POST", "PUT", "DELETE"}
    if path == "/dns/custom" or path.startswith("/dns/zonefile/"):
        return {"GET"}
    return {method for method, paths in (("GET", GETS), ("POST", POSTS)) if path in paths}


def _method_not_allowed(known: set[str]) -> Reply:
    status, headers, body = _page(405)
    return status, {**headers, "Allow": ", ".join(sorted({*known, "OPTIONS"}))}, body


def _basic(header: str | None) -> tuple[str, str]:
    user, _, password = b64decode((header or "").partition(" ")[2]).decode().partition(":")
    return user, password


def _lines(words: Iterable[str]) -> Reply:
    return _text("".join(f"{word}\n" for word in words))


def _unauthorised(reason: str, headers: Any) -> Reply:
    accept = headers.get("Accept", "*/*")
    body, kind = f"{reason}\n", "text/plain; charset=utf-8"
    if accept not in {"*/*", "", None}:
        body, kind = json.dumps({"status": "error", "reason": reason}) + "\n", "application/json"
    if headers.get("X-Requested-With") == "XMLHttpRequest":
        return 403, {"Content-Type": kind}, body
    realm = 'Basic realm="Mail-in-a-Box Management Server"'
    return 401, {"WWW-Authenticate": realm, "X-Reason": reason, "Content-Type": kind}, body


def _json(content: Any) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(content, indent=2, sort_keys=True) + "\n"


def _text(text: str, status: int = 200, kind: str = "text/html") -> Reply:
    return status, {"Content-Type": f"{kind}; charset=utf-8"}, text


def _page(status: int) -> Reply:
    return _text(PAGE.format(status, NAMES[status]), status)


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _pretty(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.encode().decode('idna')}"
