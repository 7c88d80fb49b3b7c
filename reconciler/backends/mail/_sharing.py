"""A mailbox with much to copy is carried by two pairs of connections, each with folders of its own.

A server works for one connection on one processor at a time, and after each batch there is a round trip in which
nothing is stored. A second pair takes up what that leaves idle; more than two bring little to one mailbox.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.backends.mail._pass import Work

_ENOUGH = 500
"""New messages for which it is worth to log in twice more."""


def shares(works: Sequence[Work]) -> list[list[Work]]:
    """The folders in two shares of about as many new messages; in one where these are few.

    Folders that go into one folder stay together: one pair has to know what the other has put there.
    """
    together: dict[bytes, list[Work]] = defaultdict(list)
    for work in works:
        together[work.mapped.raw].append(work)
    sizes = {raw: sum(map(_new, group)) for raw, group in together.items()}
    if len(together) < 2 or sum(sizes.values()) < _ENOUGH:  # noqa: PLR2004 - two shares need two folders
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
