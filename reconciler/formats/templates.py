"""Addresses as server files spell them, and the places that templates make of them."""

import re
from functools import lru_cache
from typing import Final

from reconciler.errors import NameInvalid
from reconciler.model.name import domain_name, mail_address

_VARIABLE: Final = re.compile(r"%(?:L?(?P<letter>[und%])|\{(?P<word>user|username|domain)\})|(?P<unknown>%.?)")
_WORDS: Final = {"user": "u", "username": "n", "domain": "d"}


@lru_cache(maxsize=4096)
def same_domain(text: str, domain: str) -> bool:
    """Whether a domain, as it stands in a file, is this one (in normal form)."""
    try:
        return domain_name(text) == domain
    except NameInvalid:
        return text.lower() == domain


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """The normal form; what has none (no domain, a quoted or non-ASCII local part) in lower case, as Postfix folds it.

    Such an address cannot be carried to the other server, but it must be seen, so that its absence there is too.
    """
    try:
        return mail_address(text)
    except NameInvalid:
        return text.lower()


def checked_template(text: str) -> str:
    """A path template.

    Raises:
        ValueError: it has a variable other than ``%u``, ``%n``, ``%d`` or their long forms.

    """
    unknown = next((m["unknown"] for m in _VARIABLE.finditer(text) if m["unknown"]), None)
    if unknown:
        raise ValueError(
            f"{unknown} in {text!r} is not known here: expected %u (address), %n (local part), %d (domain)"
        )
    return text


def filled(template: str, address: str) -> str | None:
    """A template for one address; None where a slash in the local part would lead into another folder."""
    local, _, domain = address.rpartition("@")
    if "/" in local:
        return None
    values = {"u": address, "n": local, "d": domain, "%": "%"}
    return _VARIABLE.sub(lambda m: values[m["letter"] or _WORDS[m["word"]]], template)
