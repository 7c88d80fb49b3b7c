"""The small types of the spec: text that is checked, and brought into normal form, once."""

import re
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from reconciler.model.endpoint import Endpoint
from reconciler.model.name import domain_name, mail_address
from reconciler.model.secret import is_reference, parse_reference
from reconciler.model.spf import Mechanism
from reconciler.model.stage import Stage

_QUOTA_UNITS: Final = {"": 1, "B": 1, **{u: 1024**n for n, u in enumerate(("KIB", "MIB", "GIB", "TIB"), 1)}}
_DECIMAL_UNITS: Final = {u: 1000**n for n, u in enumerate(("KB", "MB", "GB", "TB"), 1)}
_DURATION_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST_WAIT: Final = 10 * 366 * 86400
_SMTP_PORT: Final = 25
_DNS_PORT: Final = 53
_QUALIFIED_ALL: Final = ("~all", "-all", "?all")


def _quota(value: object) -> object:
    _refuse_bool(value, "a size")
    return _bytes(value) if isinstance(value, str) else value


@lru_cache  # thousands of mailboxes have the same few quotas
def _bytes(value: str) -> int:
    match = re.fullmatch(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*", value)
    units = _QUOTA_UNITS | _DECIMAL_UNITS
    if not match or match[2].upper() not in units:
        msg = f"{value!r} is not a size: write bytes, or a number with KiB, MiB, GiB, TiB (or KB, MB, GB, TB)"
        raise ValueError(msg)
    return int(Fraction(match[1]) * units[match[2].upper()])


def _seconds(value: object) -> object:
    _refuse_bool(value, "a time span")
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if not re.fullmatch(r"\s*(?:[0-9]{1,9}\s*[smhdw]\s*)+", value):
        msg = f"{value!r} is not a time span: write seconds, or 5m, 12h, 7d, 2w"
        raise ValueError(msg)
    return sum(int(number) * _DURATION_UNITS[unit] for number, unit in re.findall(r"([0-9]+)\s*([smhdw])", value))


def _duration(value: object) -> object:
    seconds = _seconds(value)
    if not isinstance(seconds, int):
        return seconds
    if not 0 <= seconds <= _LONGEST_WAIT:
        msg = f"{value!r} is not a time to wait: expected 0 seconds to ten years"
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def _refuse_bool(value: object, expected: str) -> None:
    if isinstance(value, bool):
        msg = f"expected {expected}, found {str(value).lower()}"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports a ValueError and lets a TypeError through


def _host_name(value: str) -> str:
    name = domain_name(value)
    if name.rpartition(".")[2].isdigit():  # no top-level domain is all digits, RFC 3696, section 2
        msg = f"{value!r} is not a domain name but looks like an IP address: expected a name such as mail.example.org"
        raise ValueError(msg)
    return name


def _stage(value: str) -> str:
    return Stage.of(value).label


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _mechanism(value: str) -> str:
    mechanism = Mechanism.parse(value)
    if mechanism.name == "all" or mechanism.qualifier != "+":
        msg = f"{value!r}: senders are authorised, so no qualifier and no all; the policy is spf.relaxed and spf.final"
        raise ValueError(msg)
    return str(mechanism)


def _policy(value: str) -> str:
    if value not in _QUALIFIED_ALL:
        msg = f"{value!r} is not an SPF policy: expected one of {', '.join(_QUALIFIED_ALL)}"
        raise ValueError(msg)
    return value


def _reference(value: str) -> str:
    parse_reference(value)
    return value


def _password(value: str) -> str:
    if value not in {"keep", "generate"} and not is_reference(value):
        msg = (
            "a password is keep, generate or a reference: env:NAME, file:PATH or command: PROGRAM ARGUMENT…; "
            "the password itself does not belong into a spec, which others read"
        )
        raise ValueError(msg)
    return value


def _selector(value: str) -> str:
    return domain_name(value)


def _smtp_server(value: str) -> str:
    return str(Endpoint.parse(value, _SMTP_PORT))


def _resolver(value: str) -> str:
    endpoint = Endpoint.parse(value, _DNS_PORT)
    if not endpoint.is_address:
        msg = f"{value!r} is not a resolver: expected its IP address, because it is the one that knows names"
        raise ValueError(msg)
    return str(endpoint)


_TEXT = {"type": "string"}
Domain = Annotated[str, AfterValidator(_host_name), WithJsonSchema({**_TEXT, "description": "A domain name"})]
MailAddress = Annotated[str, AfterValidator(mail_address), WithJsonSchema({**_TEXT, "format": "idn-email"})]
Targets = Annotated[
    tuple[MailAddress, ...],
    BeforeValidator(_one_or_many),
    WithJsonSchema(
        {
            "anyOf": [
                {**_TEXT, "format": "idn-email"},
                {"type": "array", "items": {**_TEXT, "format": "idn-email"}, "minItems": 1},
            ]
        }
    ),
]
StageName = Annotated[str, AfterValidator(_stage), WithJsonSchema({**_TEXT, "enum": [stage.label for stage in Stage]})]
Selector = Annotated[str, AfterValidator(_selector), WithJsonSchema({**_TEXT, "description": "A DKIM selector"})]
Sender = Annotated[
    str, AfterValidator(_mechanism), WithJsonSchema({**_TEXT, "description": "An SPF mechanism: ip4:192.0.2.1"})
]
SpfPolicy = Annotated[str, AfterValidator(_policy), WithJsonSchema({**_TEXT, "enum": list(_QUALIFIED_ALL)})]
SmtpServer = Annotated[
    str, AfterValidator(_smtp_server), WithJsonSchema({**_TEXT, "description": "A mail server: HOST or HOST:PORT"})
]
Resolver = Annotated[
    str, AfterValidator(_resolver), WithJsonSchema({**_TEXT, "description": "A resolver: ADDRESS or ADDRESS:PORT"})
]
Reference = Annotated[str, AfterValidator(_reference), WithJsonSchema({**_TEXT, "pattern": "^(env|file|command):"})]
Password = Annotated[
    str, AfterValidator(_password), WithJsonSchema({**_TEXT, "pattern": "^(keep|generate|(env|file|command):.+)$"})
]
Bytes = Annotated[
    int, BeforeValidator(_quota), WithJsonSchema({"type": ["integer", "string"], "examples": ["5 GiB", 1073741824]})
]
Seconds = Annotated[
    int, BeforeValidator(_seconds), WithJsonSchema({"type": ["integer", "string"], "examples": [300, "5m", "1d"]})
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda span: int(span.total_seconds()), return_type=int, when_used="json"),
    WithJsonSchema({"type": ["integer", "string"], "examples": ["7d", "12h"]}),
]
