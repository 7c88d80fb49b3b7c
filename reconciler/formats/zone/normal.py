"""Names, types and rdata of a zone file in normal form; remembered, because a zone is read many times over."""

from functools import lru_cache

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.formats.zone.octets import plain
from reconciler.model.rrset import text_of


@lru_cache(maxsize=1024)
def absolute(name: str) -> dns.name.Name:
    """The name behind its text."""
    return dns.name.from_text(name)


@lru_cache(maxsize=65536)
def name_of(word: str, origin: str) -> dns.name.Name:
    """The absolute name that a word stands for."""
    return dns.name.from_text(plain(word), absolute(origin))


@lru_cache(maxsize=65536)
def shown(name: dns.name.Name) -> str:
    """A name in normal form."""
    return name.to_text().lower()


@lru_cache(maxsize=1024)
def type_of(word: str) -> str:
    """The mnemonic of a record type in one spelling."""
    try:
        return dns.rdatatype.to_text(dns.rdatatype.from_text(word))
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{word!r} is not a record type") from error


@lru_cache(maxsize=65536)
def normal(rdtype: str, text: str, origin: str) -> str:
    """Written rdata in normal form (``model.rrset.text_of``)."""
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, plain(text), absolute(origin), relativize=False)
    except dns.exception.DNSException as error:
        raise ValueError(f"{text!r} is not the data of a {rdtype} record: {error}") from error
    return text_of(rdata)
