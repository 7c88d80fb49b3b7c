"""How things are written in a zone file, in the manner of the lines around them."""

import re
from typing import Final

from reconciler.formats.zone.lines import Span

_UNITS: Final = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^ ]+')


def ttl_like(seconds: int, model: str) -> str:
    """A TTL in seconds or, where ``model`` has units (``1h``), with units too."""
    if model.isdigit() or not seconds:
        return str(seconds)
    text = ""
    for letter, size in _UNITS:
        count, seconds = divmod(seconds, size)
        text += f"{count}{letter}" if count else ""
    return text.upper() if model.isupper() else text


def owner_like(owner: str, origin: str, *, relative: bool) -> str:
    """An absolute owner name, shortened against ``origin`` if the lines around do so and it is below it."""
    if not relative:
        return owner
    if owner == origin.lower():
        return "@"
    short = owner.removesuffix("." if origin == "." else f".{origin.lower()}")
    return owner if short == owner or not short else short


def is_relative(word: str) -> bool:
    """Whether an owner name, as written, depends on $ORIGIN."""
    return not word.endswith(".") or word.endswith("\\.")


def pieces(rdata: str) -> list[str]:
    """The words and quoted strings of rdata in presentation format."""
    return _PIECE.findall(rdata)


def spliced(text: str, span: Span, edits: list[tuple[Span, str]]) -> str:
    """The text of ``span`` with some parts, which do not overlap, written anew."""
    out, position = [], span.start
    for part, written in sorted(edits):
        out += [text[position : part.start], written]
        position = part.end
    return "".join([*out, text[position : span.end]])


def padded(word: str, old: str, space: str) -> str:
    """The word and the space after it, so that what follows keeps its column where spaces make the columns."""
    if set(space) <= {" "} and len(space) > (1 if old else 0):
        return word + " " * max(1, len(old) + len(space) - len(word))
    return word + (space or " ")
