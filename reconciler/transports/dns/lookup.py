"""One question to the resolver that the spec names, or to a name server that it leads to."""

from collections.abc import Callable
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata

from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import Unknown

_PAYLOAD: Final = 1232  # octets of an answer over UDP that no network breaks up: DNS Flag Day 2020
_TRIES: Final = 2  # a packet may be lost


def look_up(resolver: Endpoint, name: str, rdtype: str, timeout: float) -> list[str]:
    """The rdata at the end of the name's aliases, as text, sorted; none where the name or the type does not exist.

    Raises:
        Unknown: it could not be found out.

    """
    return sorted(rdata.to_text() for rdata in records(resolver, name, rdtype, timeout))


def records(resolver: Endpoint, name: str, rdtype: str, timeout: float) -> list[dns.rdata.Rdata]:
    """The rdata at the end of the name's aliases, in no order; none where the name or the type does not exist.

    Raises:
        Unknown: it could not be found out.

    """
    answer = ask(resolver, name, rdtype, timeout, recurse=True)
    if not answer.flags & dns.flags.RA:
        raise Unknown("asks nobody else: it is no resolver, or not for this machine")
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return []
    try:
        found = answer.resolve_chaining().answer
    except dns.exception.DNSException as error:
        raise Unknown(f"sent what is no answer to {name} {rdtype}: {error}") from error
    return list(found or ())


def asking(resolver: Endpoint, timeout: float) -> Callable[[str, str], list[dns.rdata.Rdata]]:
    """``records`` of this resolver, which is named where it does not answer."""

    def look_up(name: str, rdtype: str) -> list[dns.rdata.Rdata]:
        try:
            return records(resolver, name, rdtype, timeout)
        except Unknown as why:
            raise Unknown(f"the resolver {resolver} {why}") from why

    return look_up


def ask(server: Endpoint, name: str, rdtype: str, timeout: float, *, recurse: bool = False) -> dns.message.QueryMessage:
    """What a server says of a name: that it exists, or that it does not.

    Raises:
        Unknown: it says neither.

    """
    query = dns.message.make_query(dns.name.from_text(name), rdtype, use_edns=0, payload=_PAYLOAD)
    if not recurse:
        query.flags &= ~dns.flags.RD
    try:
        answer = _asked(server, query, timeout)
    except dns.exception.Timeout as error:
        raise Unknown(f"does not answer within {timeout:g} seconds") from error
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        raise Unknown(f"sent what is no answer to {name} {rdtype}: {error}") from error
    except OSError as error:
        raise Unknown(f"cannot be reached: {(error.strerror or str(error)).lower()}") from error
    if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise Unknown(f"answers {dns.rcode.to_text(answer.rcode())} for {name} {rdtype}")
    assert isinstance(answer, dns.message.QueryMessage)
    return answer


def _asked(server: Endpoint, query: dns.message.Message, timeout: float) -> dns.message.Message:
    for _ in range(_TRIES - 1):
        try:
            return _sent(server, query, timeout / _TRIES)
        except dns.exception.Timeout:
            continue
    return _sent(server, query, timeout / _TRIES)


def _sent(server: Endpoint, query: dns.message.Message, timeout: float) -> dns.message.Message:
    answer, _ = dns.query.udp_with_fallback(
        query, server.host, timeout, server.port, ignore_unexpected=True, ignore_errors=True
    )
    return answer
