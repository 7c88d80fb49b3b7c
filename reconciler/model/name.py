"""Normal forms of domain names and mail addresses: what we compare, store and send."""

import re
from functools import lru_cache

import dns.exception
import dns.name

from reconciler.errors import NameInvalid

_PLAIN_DOMAIN = re.compile(r"(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_LONGEST_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1
_LONGEST_DOMAIN = 253  # octets as text without the final dot, RFC 1035 section 2.3.4


@lru_cache(maxsize=4096)
def domain_name(text: str) -> str:
    """Lower case, A-labels, no final dot: ``Bücher.Example.`` becomes ``xn--bcher-kva.example`` (IDNA 2008).

    Raises:
        NameInvalid: the text is not a host or domain name.

    """
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        try:
            name = dns.name.from_text(name, origin=None, idna_codec=dns.name.IDNA_2008_UTS_46).to_text()
        except (dns.exception.DNSException, UnicodeError) as error:
            msg = f"{text!r} is not a domain name: {error}"
            raise NameInvalid(msg) from error
    if len(name) > _LONGEST_DOMAIN or not _PLAIN_DOMAIN.match(name):
        msg = f"{text!r} is not a domain name: labels of letters, digits and hyphens, joined by dots"
        raise NameInvalid(msg)
    return name


def owner_name(text: str) -> str:
    """The absolute form of ``domain_name``: with its final dot, as it stands in a zone."""
    return f"{domain_name(text)}."


def mail_address(text: str) -> str:
    """Lower case, domain as A-labels, no quotes (RFC 5321 section 4.1.2; dot-strings only).

    Raises:
        NameInvalid: it is no address, or its local part cannot be carried: quoted, or not ASCII (that would need
            SMTPUTF8, RFC 6531, at every hop, which mail in transit cannot count on).

    """
    local, at, domain = text.strip().rpartition("@")
    if not at:
        msg = f"{text!r} is not a mail address: expected local-part@domain"
        raise NameInvalid(msg)
    if not local.isascii():
        msg = (
            f"{text!r} has a local part outside ASCII: every server on the way would need SMTPUTF8 (RFC 6531); "
            "use an ASCII address and, if the old server has it, an alias there"
        )
        raise NameInvalid(msg)
    if len(local) > _LONGEST_LOCAL_PART or not _LOCAL_PART.match(local):
        msg = f"{text!r} has a local part that is empty, too long (over 64) or needs quoting: {local!r}"
        raise NameInvalid(msg)
    return f"{local.lower()}@{domain_name(domain)}"
