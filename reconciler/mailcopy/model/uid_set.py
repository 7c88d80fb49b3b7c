"""Sets of UIDs as IMAP writes them (RFC 3501, section 9, sequence-set)."""

from collections.abc import Iterable, Iterator

_HIGHEST = 2**32 - 1
_LONGEST = 6000
"""Octets a set: servers should take command lines of 8000 (RFC 2683, section 3.2.1.5)."""


def ranges(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run, ascending."""
    first = last = None
    for uid in sorted(set(uids)):
        if first is None or last is None:
            first = last = uid
        elif uid == last + 1:
            last = uid
        else:
            yield first, last
            first = last = uid
    if first is not None and last is not None:
        yield first, last


def write(uids: Iterable[int]) -> list[str]:
    """The UIDs as sets that each fit in a command line."""
    sets: list[list[str]] = []
    length = _LONGEST + 1
    for first, last in ranges(uids):
        part = str(first) if first == last else f"{first}:{last}"
        length += len(part) + 1
        if length > _LONGEST:
            sets.append([])
            length = len(part)
        sets[-1].append(part)
    return [",".join(parts) for parts in sets]


def parse(text: str, most: int | None = None) -> list[int]:
    """The UIDs of a set without ``*``, in the order written; a range may be written backwards (RFC 4315, section 4).

    ``most``: a server tells it, and there can be no more; its numbers have 32 bits (RFC 3501, section 2.3.1.1).

    Raises:
        ValueError: it is no such set.

    """
    uids: list[int] = []
    for part in text.split(","):
        first, colon, last = part.partition(":")
        ends = (int(first), int(last) if colon else int(first))
        if most is not None and not 0 < min(ends) <= max(ends) <= _HIGHEST:
            raise ValueError(f"{part[:40]} is no UID")
        if most is not None and max(ends) - min(ends) >= most - len(uids):
            raise ValueError(f"more than {most} UIDs")
        uids.extend(range(min(ends), max(ends) + 1))
    return uids
