"""A source that shows a message otherwise at each reading: some servers make the text anew (Exchange, from MAPI)."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from reconciler.mailcopy.model.message import normalised


def keeps_what_stays(first: bytes, second: bytes, target: bytes) -> bool:
    """Whether the target holds a third reading of the message that the source has shown in two.

    The lines that both readings agree on must stand in it, in their order, and it has as many lines as one of them.
    What servers are known to rewrite is no difference.
    """
    one, other, held = (normalised(text).split(b"\n") for text in (first, second, target))
    if len(held) not in {len(one), len(other)}:
        return False
    lines = iter(held)
    return all(any(line == each for each in lines) for line in _stable(one, other))


def _stable(one: Sequence[bytes], other: Sequence[bytes]) -> Iterator[bytes]:
    """The lines that two readings agree on: in the same place if there are as many, else as a diff finds them."""
    if len(one) == len(other):
        yield from (line for line, same in zip(one, other, strict=True) if line == same)
        return
    for start, _, length in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        yield from one[start : start + length]
