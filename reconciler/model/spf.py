"""SPF records as values (RFC 7208): parsed, compared and written term by term."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Self

VERSION: Final = "v=spf1"
MOST_LOOKUPS: Final = 10  # RFC 7208, section 4.6.4
MOST_VOID_LOOKUPS: Final = 2  # RFC 7208, section 4.6.4
LONGEST_RECORD: Final = 450  # octets that fit a 512-octet answer, RFC 7208, section 3.4

_WITH_DOMAIN = ("include", "exists")
_WITH_OPTIONAL_DOMAIN = ("a", "mx", "ptr")
_WITHOUT_LENGTHS = ("include", "exists", "ptr")
_WHOLE_V4: Final = 32  # bits
_WHOLE_V6: Final = 128
_TERM = re.compile(r"(?P<qualifier>[+?~-]?)(?P<name>[A-Za-z][A-Za-z0-9_.-]*)(?P<rest>(?:[:/].*)?)\Z")
_CIDR = re.compile(r"(?P<domain>.*?)(?:/(?P<v4>0|[1-9][0-9]?))?(?://(?P<v6>0|[1-9][0-9]{0,2}))?\Z")
_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>.*)\Z")
_INVISIBLE = re.compile(r"[^\x21-\x7e]")  # what no macro-string holds, RFC 7208, section 7.1
_NETMASK = re.compile(r"/(?!(?:0|[1-9][0-9]{0,2})\Z)")  # a prefix length is a plain number, RFC 7208, section 5.6


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism with its qualifier; ``value`` in normal form: networks compressed, domains lower case."""

    qualifier: str
    name: str
    value: str

    def __str__(self) -> str:
        """As it stands in a record; the qualifier + is not written."""
        sign = "" if self.qualifier == "+" else self.qualifier
        return f"{sign}{self.name}{self.value}"

    @property
    def target(self) -> tuple[str, str]:
        """What it matches, whatever it says about it."""
        return self.name, self.value

    @property
    def looks_up(self) -> bool:
        """Whether it counts against the limit of ten (RFC 7208, section 4.6.4)."""
        return self.name in {"include", "a", "mx", "ptr", "exists"}

    @property
    def domain(self) -> str | None:
        """The domain after the colon, without prefix lengths; None where it means the domain itself."""
        match = None if self.name in {"ip4", "ip6"} else _CIDR.match(self.value)
        return (match["domain"].removeprefix(":") or None) if match else None

    @staticmethod
    @lru_cache(maxsize=4096)  # a plan asks for the same senders at every stage
    def parse(text: str) -> "Mechanism":
        """One term such as ``ip4:192.0.2.0/24`` or ``~all``.

        Raises:
            ValueError: it is not a mechanism of RFC 7208, section 5.

        """
        match = _TERM.match(text)
        name = match["name"].lower() if match else ""
        if not match or name not in {"all", "ip4", "ip6", *_WITH_DOMAIN, *_WITH_OPTIONAL_DOMAIN}:
            msg = f"{text!r} is not an SPF mechanism: expected ip4:, ip6:, a, mx, include:, exists: or all"
            raise ValueError(msg)
        return Mechanism(match["qualifier"] or "+", name, _normal_value(name, match["rest"]))


@dataclass(frozen=True, slots=True)
class Spf:
    """A whole record. ``modifiers`` are (name, value) pairs: redirect, exp and unknown ones."""

    mechanisms: tuple[Mechanism, ...]
    modifiers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """One line, the version first."""
        terms = [*map(str, self.mechanisms), *(f"{name}={value}" for name, value in self.modifiers)]
        return " ".join([VERSION, *terms])

    @property
    def all(self) -> Mechanism | None:
        """The ``all`` at the end, if there is one."""
        return next((m for m in self.mechanisms if m.name == "all"), None)

    @property
    def senders(self) -> tuple[Mechanism, ...]:
        """Every mechanism but ``all``."""
        return tuple(m for m in self.mechanisms if m.name != "all")

    @property
    def redirect(self) -> str | None:
        """The domain of ``redirect=``; it has no effect beside ``all`` (RFC 7208, section 6.1)."""
        return dict(self.modifiers).get("redirect") if self.all is None else None

    @property
    def lookups(self) -> int:
        """DNS look-ups of this record itself, without those inside of includes."""
        return sum(m.looks_up for m in self.mechanisms) + (self.redirect is not None)

    def with_senders(self, senders: tuple[Mechanism, ...], all_: Mechanism | None) -> "Spf":
        """The same modifiers around other mechanisms; ``all`` goes last because nothing after it counts."""
        return replace(self, mechanisms=(*senders, *([all_] if all_ else [])))

    @classmethod
    def parse(cls, text: str) -> Self:
        """A record's text.

        Raises:
            ValueError: a term is neither mechanism nor modifier, or one stands twice that may not.

        """
        if not is_spf(text):
            msg = f"{text!r} is not an SPF record: it does not begin with {VERSION}"
            raise ValueError(msg)
        mechanisms: list[Mechanism] = []
        modifiers: list[tuple[str, str]] = []
        for term in text.split(" ")[1:]:
            modifier = _MODIFIER.match(term)
            if modifier:
                modifiers.append(_normal_modifier(modifier["name"].lower(), modifier["value"]))
            elif term:
                mechanisms.append(Mechanism.parse(term))
        for name in ("redirect", "exp"):
            if sum(key == name for key, _ in modifiers) > 1:
                msg = f"{name}= stands twice in {text!r} (RFC 7208, section 6)"
                raise ValueError(msg)
        return cls(tuple(dict.fromkeys(mechanisms)), tuple(modifiers))


def is_spf(text: str) -> bool:
    """Whether a TXT string is an SPF record (RFC 7208, section 4.5; the version in any letter case)."""
    return text.lower() == VERSION or text.lower().startswith(f"{VERSION} ")


def _normal_modifier(name: str, value: str) -> tuple[str, str]:
    if _INVISIBLE.search(value) or (name in {"redirect", "exp"} and not value):
        msg = f"{f'{name}={value}'!r} is not an SPF modifier: expected visible characters after the ="
        raise ValueError(msg)
    return name, value


def _normal_value(name: str, rest: str) -> str:
    if name == "all":
        if rest:
            msg = f"all{rest} is not an SPF mechanism: all takes nothing"
            raise ValueError(msg)
        return ""
    return _normal_network(name, rest) if name in {"ip4", "ip6"} else _normal_host(name, rest)


def _normal_network(name: str, rest: str) -> str:
    network = IPv4Network if name == "ip4" else IPv6Network
    if not rest.startswith(":") or _NETMASK.search(rest) or "%" in rest:
        msg = f"{name}{rest} is not an SPF mechanism: expected {name}:ADDRESS or {name}:ADDRESS/LENGTH"
        raise ValueError(msg)
    try:
        parsed = network(rest.removeprefix(":"), strict=False)
    except ValueError as error:
        msg = f"{name}{rest} is not an SPF mechanism: {error}"
        raise ValueError(msg) from error
    whole = parsed.prefixlen == parsed.max_prefixlen
    return f":{parsed.network_address if whole else parsed}"


def _normal_host(name: str, rest: str) -> str:
    match = _CIDR.match(rest)
    if match is None or _INVISIBLE.search(rest):
        msg = f"{name}{rest!r} is not an SPF mechanism: white space, or a character outside ASCII"
        raise ValueError(msg)
    domain = match["domain"].removeprefix(":").removesuffix(".")
    lengths = match["v4"] or match["v6"]
    if (
        (bool(domain) != bool(match["domain"]))  # a colon and nothing after it
        or not match["domain"].startswith(":" if domain else "")
        or (name in _WITH_DOMAIN and not domain)
        or (name in _WITHOUT_LENGTHS and lengths)
    ):
        msg = f"{name}{rest} is not an SPF mechanism: {name} takes a domain after a colon"
        raise ValueError(msg)
    v4, v6 = int(match["v4"] or _WHOLE_V4), int(match["v6"] or _WHOLE_V6)
    if v4 > _WHOLE_V4 or v6 > _WHOLE_V6:
        msg = f"{name}{rest} is not an SPF mechanism: the prefix length is out of range"
        raise ValueError(msg)
    shown = domain if "%" in domain else domain.lower()  # macros are case-sensitive, RFC 7208 section 7.3
    return (
        (f":{shown}" if shown else "")
        + (f"/{v4}" if v4 != _WHOLE_V4 else "")  # without a length the whole address counts, section 5.6
        + (f"//{v6}" if v6 != _WHOLE_V6 else "")
    )
