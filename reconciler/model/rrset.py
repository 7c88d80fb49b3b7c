"""The RRset: what every DNS backend reads and writes (RFC 2181, section 5)."""

import re
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple, Self

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase
from pydantic import ValidationInfo, field_validator

from reconciler.model.address import Address, Place
from reconciler.model.name import owner_name
from reconciler.model.reference import refers_to, resolve
from reconciler.model.resource import Resource, State

_TEXT_TYPES: Final = ("TXT", "SPF")
_HOST_TYPES: Final = ("MX", "CNAME", "NS", "A", "AAAA", "PTR", "SRV")  # all letters in them are names or hex digits
_LONGEST_STRING: Final = 255  # octets of one character-string, RFC 1035 section 3.3
_PRINTABLE: Final = range(0x20, 0x7F)  # written as they are, RFC 1035 section 5.1
_ESCAPED: Final = re.compile(r"\\(?:(?P<backslash>\\)|(?P<octet>[0-9]{3}))")


class Claim(NamedTuple):
    """One rdata, in normal form, that should stand at an owner name; None: whatever stands there stays."""

    owner: str
    rdata: str | None


class RRset(Resource):
    r"""All rdata of one owner name and type; ``ttl`` in seconds holds for all of them.

    ``name`` is ``OWNER TYPE`` with an absolute owner name: ``example.org. MX``. Rdata are presentation format with
    absolute names; TXT is one logical string, unquoted and unsplit, in which a backslash is ``\\`` and each octet
    outside 0x20-0x7e is ``\DDD`` (RFC 1035, section 5.1).
    """

    kind: ClassVar[str] = "rrset"
    after: ClassVar[tuple[str, ...]] = ("domain", "mailbox", "quota", "alias", "catch_all", "dkim_key", "mail")
    place: Place = Place.DNS
    ttl: int
    rdata: frozenset[str]

    @field_validator("rdata")
    @classmethod
    def _normal(cls, value: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        rdtype = info.data.get("name", "").rpartition(" ")[2]
        return frozenset(normal_rdata(rdtype, text) for text in value)

    @classmethod
    def of(cls, owner: str, rdtype: str, ttl: int, *rdata: str) -> Self:
        """Build from parts."""
        return cls(name=rrset_name(owner, rdtype), ttl=ttl, rdata=frozenset(rdata))

    @property
    def owner(self) -> str:
        """The absolute owner name."""
        return self.name.rpartition(" ")[0]

    @property
    def rdtype(self) -> str:
        """The type's mnemonic."""
        return self.name.rpartition(" ")[2]

    @property
    def unknown(self) -> tuple[Address, ...]:
        """The addresses whose value must be known before this can be written."""
        return tuple(sorted(a for a in map(refers_to, self.rdata) if a))

    def known(self, state: State) -> Self:
        """With the values that the state shows by now."""
        if not self.unknown:
            return self
        return self.model_copy(update={"rdata": frozenset(resolve(text, state) for text in self.rdata)})

    def needs(self) -> tuple[Address, ...]:
        """What it takes its values from."""
        return self.unknown

    def model_dump_sorted(self) -> dict[str, Any]:
        """As JSON-ready data whose rdata are in one order."""
        return {**self.model_dump(mode="json"), "rdata": sorted(self.rdata)}


def rrset_name(owner: str, rdtype: str) -> str:
    """``example.org. MX``; the owner may have wildcard and underscore labels."""
    owner = owner.rstrip(".").lower()
    if owner.startswith("*."):
        return f"*.{owner_name(owner[2:])} {rdtype}"
    return f"{owner_name(owner)} {rdtype}"


@lru_cache(maxsize=65536)
def normal_rdata(rdtype: str, text: str) -> str:
    """Presentation format, or a logical TXT string, in one spelling; a reference is left as it is.

    Raises:
        ValueError: the text is not rdata of this type.

    """
    if refers_to(text):
        return text
    if rdtype in _TEXT_TYPES:
        return _logical(octets_of(text))
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), text)
    except (dns.exception.DNSException, ValueError) as error:
        msg = f"{text!r} is not the data of a {rdtype} record: {error}"
        raise ValueError(msg) from error
    return _lowered(rdtype, rdata.to_text())


def text_of(rdata: dns.rdata.Rdata) -> str:
    """The normal form of parsed rdata, TXT joined over its strings."""
    rdtype = dns.rdatatype.to_text(rdata.rdtype)
    if isinstance(rdata, dns.rdtypes.txtbase.TXTBase) and rdtype in _TEXT_TYPES:
        return _logical(b"".join(rdata.strings))
    return _lowered(rdtype, rdata.to_text())


def octets_of(text: str) -> bytes:
    """The octets of a logical TXT string.

    Raises:
        ValueError: an escape is cut short or over 255, or a character is not ASCII.

    """
    out = bytearray()
    position = 0
    while position < len(text):
        escape = _ESCAPED.match(text, position)
        if escape is None:
            if text[position] == "\\":
                msg = f"{text!r} has a backslash that is neither doubled nor followed by three digits"
                raise ValueError(msg)
            out += text[position].encode("ascii")
            position += 1
        else:
            out.append(int(escape["octet"]) if escape["octet"] else ord("\\"))
            position = escape.end()
    return bytes(out)


def quoted(text: str) -> str:
    """A logical TXT string as presentation format: quoted strings of at most 255 octets (RFC 1035, section 3.3)."""
    octets = octets_of(text)
    chunks = [octets[i : i + _LONGEST_STRING] for i in range(0, len(octets), _LONGEST_STRING)] or [b""]
    return " ".join('"' + "".join(_quotable(octet) for octet in chunk) + '"' for chunk in chunks)


def presentation(rdtype: str, text: str) -> str:
    """Normal-form rdata as it is written in a zone file or an UPDATE."""
    return quoted(text) if rdtype in _TEXT_TYPES else text


def _lowered(rdtype: str, text: str) -> str:
    return text.lower() if rdtype in _HOST_TYPES else text


def _logical(octets: bytes) -> str:
    return "".join(map(_escaped, octets))


def _escaped(octet: int) -> str:
    if octet == ord("\\"):
        return "\\\\"
    return chr(octet) if octet in _PRINTABLE else f"\\{octet:03d}"


def _quotable(octet: int) -> str:
    return '\\"' if octet == ord('"') else _escaped(octet)
