"""One question to one name server: EDNS and UDP first, TCP where that does not carry it, each failure in words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig

from reconciler.errors import ObserveError
from reconciler.transports.dns.server_address import Server
from reconciler.transports.dns.tsig import Tsig

_log: Final = logging.getLogger(__name__)
_PAYLOAD: Final = 1232  # octets of an answer over UDP that no network breaks up: DNS Flag Day 2020
_TRIES: Final = 2  # over UDP, where a packet may be lost; then TCP


class NoAnswer(Exception):  # noqa: N818 - what it means for the caller decides what is raised
    """A server said nothing that can be used; ``str()`` is the reason, as the end of a sentence about the server."""


def ask(server: Server, name: str, rdtype: str, timeout: float, tsig: Tsig | None, *, tcp: bool) -> dns.message.Message:
    """The answer, whatever its RCODE; recursion is not desired.

    Raises:
        NoAnswer: there is none.
        SecretError: the question could not be signed.

    """
    _log.debug("%s is asked for %s %s", server, name, rdtype)
    answer = _sent(server, _question(name, rdtype, tsig, edns=True), timeout, tsig, tcp=tcp)
    if answer.rcode() in {dns.rcode.FORMERR, dns.rcode.NOTIMP}:  # from before EDNS (RFC 6891, section 7)
        return _sent(server, _question(name, rdtype, tsig, edns=False), timeout, tsig, tcp=tcp)
    return answer


def over_tcp(server: Server, message: dns.message.Message, timeout: float, tsig: Tsig | None) -> dns.message.Message:
    """Send over TCP, once, and give the answer.

    Raises:
        NoAnswer: there is none; where the message asked for a change, it may have been made.

    """
    with explained(tsig, timeout):
        return dns.query.tcp(message, server.address, timeout, server.port)


def _question(name: str, rdtype: str, tsig: Tsig | None, *, edns: bool) -> dns.message.Message:
    query = dns.message.make_query(dns.name.from_text(name), rdtype, use_edns=0 if edns else False, payload=_PAYLOAD)
    query.flags &= ~dns.flags.RD
    if tsig:
        tsig.sign(query)
    return query


def _sent(
    server: Server, query: dns.message.Message, timeout: float, tsig: Tsig | None, *, tcp: bool
) -> dns.message.Message:
    with explained(tsig, timeout):
        for _ in range(0 if tcp else _TRIES):
            try:
                return dns.query.udp(
                    query,
                    server.address,
                    timeout / _TRIES,
                    server.port,
                    ignore_unexpected=True,
                    raise_on_truncation=True,
                    ignore_errors=tsig is None,  # a forged answer; of a signed one the reason is wanted
                )
            except dns.message.Truncated:
                break
            except dns.exception.Timeout:
                continue
        return dns.query.tcp(query, server.address, timeout, server.port)


@contextmanager
def explained(tsig: Tsig | None, timeout: float) -> Iterator[None]:
    """Turn what sockets and dnspython raise into reasons.

    Raises:
        NoAnswer: something was raised.

    """
    try:
        yield
    except dns.exception.Timeout as error:
        raise NoAnswer(
            f"did not answer within {timeout:g} seconds: it is down, or a firewall drops port 53 over UDP and TCP"
        ) from error
    except dns.tsig.PeerBadKey as error:
        raise NoAnswer(
            f"does not know the {tsig} (BADKEY): compare key_name and key_algorithm with the key in its configuration"
        ) from error
    except (dns.tsig.PeerBadSignature, dns.tsig.PeerBadTruncation) as error:
        raise NoAnswer(
            f"has another secret or algorithm for the {tsig} (BADSIG): compare what key_secret leads to with the key "
            "in its configuration"
        ) from error
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime) as error:
        raise NoAnswer(
            f"has a clock that is minutes away from the one here, so that signatures by the {tsig} are void (BADTIME): "
            "set both clocks, best by NTP"
        ) from error
    except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.tsig.PeerError) as error:
        raise NoAnswer(
            f"signed its answer otherwise than with the {tsig}, so that anybody may have sent it "
            f"({type(error).__name__})"
        ) from error
    except dns.exception.TooBig:
        raise
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        raise NoAnswer(f"sent what is no answer to the question: {str(error) or type(error).__name__}") from error
    except OSError as error:
        raise NoAnswer(f"cannot be reached: {(error.strerror or str(error)).lower()}") from error


def refusal(answer: dns.message.Message, zone: str) -> str:
    """Why a server gave this RCODE to a question, as the end of a sentence about it."""
    code = dns.rcode.to_text(answer.rcode())
    return {
        dns.rcode.REFUSED: f"refuses to answer for {zone} (REFUSED): it does not serve it, or not to this machine",
        dns.rcode.NOTAUTH: f"does not serve {zone} (NOTAUTH)",
        dns.rcode.SERVFAIL: f"cannot serve {zone} (SERVFAIL): it could not load or transfer the zone, or it expired; "
        "its log says why",
    }.get(answer.rcode(), f"answered {code} for {zone}")


def unreadable(server: Server, zone: str, why: str) -> ObserveError:
    """What to raise where the zone could not be read from a server."""
    return ObserveError(f"{zone} could not be read: the name server {server} {why}")
