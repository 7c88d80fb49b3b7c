"""The URL of a journal's database: what of it may be shown, and why a password may not stand in it.

Drivers take a password in many forms: before the host, as a parameter under many names, inside of a whole connection
string that is a parameter's value. So what is shown is a list of what is known to hold none, and the rest is hidden.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_plus

HIDDEN: Final = "***"
INSTEAD: Final = (
    "leave the password to the database's own means: for PostgreSQL ~/.pgpass (or the file that PGPASSFILE names), a "
    "service in ~/.pg_service.conf that PGSERVICE names, or PGPASSWORD; for MySQL an option file; for ODBC the data "
    "source"
)
_FORM: Final = "DIALECT://USER@HOST/DATABASE, such as postgresql://me@db.example.org/moves or sqlite:///FILE"
_URL: Final = re.compile(
    r"(?P<dialect>[A-Za-z][A-Za-z0-9_]*(?:\+[A-Za-z0-9_]+)?)://"
    r"(?:(?P<user>[^:/?#@]*)(?P<password>:[^@]*)?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]*\]|[^:/?#@\[\]]*)(?::(?P<port>[0-9]*))?"
    r"(?:/(?P<database>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_NAME: Final = re.compile(r"[\w.~+%-]*")
_USER: Final = re.compile(r"[\w.~+%@-]*")
_DATABASE: Final = re.compile(r"[\w.~+%/ -]*")
_DEEPEST: Final = 8  # a value that is still encoded after so many times is refused
_HARMLESS: Final = frozenset(
    [
        "application_name",
        "authentication",
        "autocommit",
        "channel_binding",
        "charset",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "driver",
        "encrypt",
        "gssencmode",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "passfile",
        "port",
        "read_default_file",
        "read_default_group",
        "require_auth",
        "service",
        "service_name",
        "servicefile",
        "ssl_ca",
        "ssl_cert",
        "ssl_key",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "trusted_connection",
        "trustservercertificate",
        "unix_socket",
        "user",
    ]
)
_SECRET_NAME: Final = re.compile(r"pass|pwd|secret|token|credential|key|signature|auth|jwt", re.IGNORECASE)
_SECRET_SHORT: Final = frozenset({"pw", "pin", "psw", "sig", "sas"})
_ASSIGNED: Final = re.compile(
    r"(?P<name>\w*(?:pass|pwd|secret|token|credential|signature|jwt)\w*|\w*key)[\"'\s]*[=:]\s*"
    r"(?:\{[^}]*\}|\"[^\"]*\"|'[^']*'|[^;&\s]*)",
    re.IGNORECASE,
)
_USERINFO: Final = re.compile(r"(?<=://)[^\s/]*(?:/[^\s@]*)?@")


class _Parameter(NamedTuple):
    """As written, and with every encoding taken off; None where it has too many."""

    written: str
    name: str | None
    value: str | None


def shown(url: str) -> str:
    """The URL with its dialect, user, host, port, database and harmless parameters; everything else is hidden."""
    found = _URL.fullmatch(url)
    if found is None:
        return f"{url.partition('://')[0]}://{HIDDEN}" if re.match(r"[A-Za-z]\w*(\+\w+)?://", url) else HIDDEN
    text = f"{found['dialect']}://"
    if found["user"] or found["password"]:
        text += _fit(found["user"], _USER) + (f":{HIDDEN}" if found["password"] else "") + "@"
    text += found["host"] if found["host"].startswith("[") else _fit(found["host"], _NAME)
    text += f":{found['port']}" if found["port"] else ""
    text += f"/{_fit(found['database'], _DATABASE)}" if found["database"] is not None else ""
    return text + (f"?{'&'.join(map(_shown, _parameters(found['query'])))}" if found["query"] else "")


def complaint(url: str) -> str | None:
    """Why this URL must not stand in a spec; None if it may. It quotes nothing of the URL but names that are known."""
    found = _URL.fullmatch(url)
    if found is None:
        return f"this is no database URL: write {_FORM}; if it holds a password, {INSTEAD}"
    where = _secret_in(found)
    if where is None:
        return None
    return f"a database URL with the password in it ({where}): others read this file; {INSTEAD}"


def scrubbed(words: str, url: str) -> str:
    """What a driver says, without what of the URL is hidden, and without anything that looks like a password."""
    for part in sorted(_hidden_parts(url), key=len, reverse=True):
        words = words.replace(part, HIDDEN)
    return _ASSIGNED.sub(rf"\g<name>={HIDDEN}", _USERINFO.sub(f"{HIDDEN}@", words))


def _secret_in(found: re.Match[str]) -> str | None:
    if found["password"]:
        return "before the host"
    for part, form in (("user", _USER), ("host", _NAME), ("database", _DATABASE)):
        text = found[part] or ""
        plain = _plain(text)
        if plain is None or _ASSIGNED.search(plain) or not (text.startswith("[") or _may_be_shown(text, form)):
            return f"as part of its {part}, or something else that does not belong there"
    for parameter in _parameters(found["query"] or ""):
        if parameter.name is None or parameter.value is None or _ASSIGNED.search(parameter.value):
            return "inside of the value of a parameter"
        if _USERINFO.search(parameter.value):
            return "inside of the value of a parameter"
        if _is_secret(parameter.name):
            return "as a parameter"
    return None


def _is_secret(name: str) -> bool:
    plain = name.strip().lower()
    return plain not in _HARMLESS and (plain in _SECRET_SHORT or _SECRET_NAME.search(plain) is not None)


def _parameters(query: str) -> list[_Parameter]:
    found = []
    for written in filter(None, re.split("[&;]", query)):
        name, _, value = written.partition("=")
        found.append(_Parameter(written, _plain(name, plus=True), _plain(value, plus=True)))
    return found


def _shown(parameter: _Parameter) -> str:
    name, value = parameter.name, parameter.value
    if "=" not in parameter.written or name is None or value is None or not _NAME.fullmatch(name):
        return HIDDEN
    harmless = name.lower() in _HARMLESS and not _ASSIGNED.search(value) and not _USERINFO.search(value)
    return f"{name}={value if harmless and value.isprintable() else HIDDEN}"


def _fit(text: str, form: re.Pattern[str]) -> str:
    return text if _may_be_shown(text, form) else HIDDEN


def _may_be_shown(text: str, form: re.Pattern[str]) -> bool:
    plain = _plain(text)
    return plain is not None and form.fullmatch(plain) is not None and text.isprintable()


def _plain(text: str, *, plus: bool = False) -> str | None:
    """With every encoding taken off, however often it was put on; None if that has no end."""
    text = text.replace("+", " ") if plus else text
    for _ in range(_DEEPEST):
        plain = unquote(text)
        if plain == text:
            return text
        text = plain
    return None


def _hidden_parts(url: str) -> set[str]:
    """What ``shown`` hides, as it is written and decoded; what is too short to be told from other words stays."""
    found = _URL.fullmatch(url)
    if found is None:
        return {url}
    hidden = (each.written for each in _parameters(found["query"] or "") if HIDDEN in _shown(each))
    parts = [(found["password"] or "")[1:], *(written.partition("=")[2] or written for written in hidden)]
    decoded = [*parts, *map(unquote_plus, parts), *filter(None, map(_plain, parts))]
    return {url, *(part for part in decoded if len(part) > 2)}  # noqa: PLR2004 - see the first line
