"""The DKIM signatures of a message, verified as a receiver does it (RFC 6376, section 6.1)."""

from collections.abc import Iterator
from email.parser import BytesHeaderParser
from typing import Final

import dkim

from reconciler.analysis.planned_dns import PlannedDns
from reconciler.model.dkim import is_key
from reconciler.model.outside import Signature, Unknown
from reconciler.model.tags import Tags
from reconciler.wording.quoting import one_line

_SMALLEST_KEY: Final = 1024  # bits; RFC 8301, section 3.2


def signatures(message: bytes, world: PlannedDns) -> Iterator[Signature]:
    """Each of them from the top, which is the last that was added."""
    headers = BytesHeaderParser().parsebytes(message).get_all("DKIM-Signature", [])
    for index, value in enumerate(headers):
        tags = Tags.parse_leniently("".join(str(value).splitlines()))
        domain, selector = (tags.get("d") or "").lower(), (tags.get("s") or "").lower()
        yield Signature(domain, selector, _wrong(message, index, world))


def _wrong(message: bytes, index: int, world: PlannedDns) -> str:
    """Why the signature does not verify; empty if it does."""
    asked: dict[str, str] = {}

    def key(name: bytes, timeout: int = 0) -> bytes:  # noqa: ARG001 - the world has its own
        owner = name.decode("ascii", "replace")
        asked[owner] = next(filter(is_key, (text.decode("ascii", "replace") for text in world.texts(owner))), "")
        return asked[owner].encode("ascii", "replace")

    try:
        holds = dkim.DKIM(message, minkey=_SMALLEST_KEY).verify(index, dnsfunc=key)
    except Unknown as why:
        return f"its key is not known: {why}"
    except (dkim.DKIMException, ValueError, LookupError) as error:  # the latter two for a header that is no signature
        return one_line(str(error))
    for owner, text in asked.items():
        if not text:
            return f"{owner} will hold no key"
        if holds and "y" in (Tags.parse_leniently(text).get("t") or "").split(":"):
            return f"{owner} says t=y, a test, so that receivers treat it as unsigned"
    return "" if holds else "it was not made with the key that will stand in the zone"
