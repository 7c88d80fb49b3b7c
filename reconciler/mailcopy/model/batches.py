"""How messages are grouped into commands.

Dovecot spends 1.5-2 ms on an APPEND, in which it adds up the quota of all folders, and 0.1 ms on a message in a
MULTIAPPEND of 300; past 4 MB a batch gains nothing and costs memory. In a big folder every command costs time in
proportion to the folder, so the number grows with it. Source: measurements with Dovecot 2.3.19, see docs/mail-copy.md.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.mailcopy.model.message import Row

FEWEST = 300
MOST_OCTETS = 4 * 1024 * 1024
MOST = 1000


def batch_count(folder_messages: int) -> int:
    """How many messages one command carries into a folder of that size."""
    return min(MOST, max(FEWEST, folder_messages // 100))


def fitting(rows: Sequence[Row], octets: int) -> Sequence[Row]:
    """The first of the rows, as many as have no more octets together."""
    for number, row in enumerate(rows):
        octets -= row.size
        if octets < 0:
            return rows[:number]
    return rows


def batches(rows: Iterable[Row], most: int, most_octets: int = MOST_OCTETS) -> Iterator[Sequence[Row]]:
    """The rows in their order, in groups; a message over the octets goes alone."""
    group: list[Row] = []
    octets = 0
    for row in rows:
        if group and (len(group) >= most or octets + row.size > most_octets):
            yield group
            group, octets = [], 0
        group.append(row)
        octets += row.size
    if group:
        yield group
