"""A mailbox with much to copy is carried by two pairs of connections, each with folders of its own.

A server works for one connection on one processor at a time, and after each batch there is a round trip in which
nothing is stored. A second pair takes up what that leaves idle; more than two bring little to one mailbox.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.mailcopy.imap.work import Work

_ENOUGH = 500
"""New messages for which it is worth to log in twice more."""

_A_MESSAGE = 60_000
"""Octets that take as long as a message does beside its own: 0.1 ms, see reconciler.mailcopy.model.batches."""


def is_much(works: Sequence[Work]) -> bool:
    """Whether two pairs would be quicker, as far as the counts of messages tell."""
    return len({work.mapped.raw for work in works}) > 1 and sum(map(_new, works)) >= _ENOUGH


def shares(works: Sequence[Work]) -> list[list[Work]]:
    """The folders in two shares of about as much work; in one where only one folder misses anything.

    Folders that go into one folder stay together: it tells where it stands by one number.
    """
    together: dict[bytes, list[Work]] = defaultdict(list)
    for work in works:
        together[work.mapped.raw].append(work)
    sizes = {raw: sum(_work(each) for each in group) for raw, group in together.items()}
    if sum(size > 0 for size in sizes.values()) < 2:  # noqa: PLR2004 - two shares need two folders
        return [list(works)]
    two: tuple[set[bytes], set[bytes]] = set(), set()
    weights = [0, 0]
    for raw in sorted(sizes, key=sizes.__getitem__, reverse=True):
        lighter = weights.index(min(weights))
        two[lighter].add(raw)
        weights[lighter] += sizes[raw]
    return [[work for work in works if work.mapped.raw in half] for half in two]


def next_of(left: deque[list[Work]]) -> list[Work]:
    """The next share, or nothing: the other pair may have been quicker."""
    try:
        return left.popleft()
    except IndexError:
        return []


def side_by_side(first: Callable[[], bool], second: Callable[[], bool], stop: Callable[[], None]) -> bool:
    """Run the two at once; True if one of them says so. When one fails, ``stop`` has to make the other end too.

    Raises:
        Exception: what befell the one that failed first.

    """
    failed: list[BaseException] = []

    def watched(run: Callable[[], bool]) -> bool:
        try:
            return run()
        except BaseException as error:  # noqa: BLE001 - raised again when both have ended
            failed.append(error)
            stop()
            return False

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="second-pair") as threads:
        other = threads.submit(watched, second)
        said = watched(first)
    if failed:
        raise failed[0]
    return said or other.result()


def _new(work: Work) -> int:
    held = work.state.copied + work.state.excluded + work.state.refused
    return max(0, work.here.messages - held)


def _work(work: Work) -> int:
    return sum(row.size + _A_MESSAGE for row in work.missing)
