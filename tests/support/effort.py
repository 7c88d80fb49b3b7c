"""How much work something is: its calls are counted, so that no machine's speed decides."""

import sys
from collections.abc import Callable
from types import FrameType


def calls(run: Callable[[], object]) -> int:
    """Functions, of Python and of C, that are called while it runs in this thread."""
    counted = 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return counted


def grows_with(run: Callable[[int], object], few: int, times: int = 5) -> bool:
    """Whether work on so many times as many costs about so many times as much, and not their square."""
    return calls(lambda: run(times * few)) < 1.2 * times * calls(lambda: run(few))
