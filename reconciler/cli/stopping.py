"""Ctrl-C and SIGTERM during a run: the write that is under way is finished, then the run stops; twice: at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Give the question that a run asks between two writes: whether to stop.

    Outside of the main thread no signal can be caught, and the answer is always no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say("stopping: the write that is under way is finished first; once more to stop at once")

    before = [(number, signal.signal(number, ask)) for number in _SIGNALS]
    try:
        yield asked.is_set
    finally:
        for number, handler in before:
            signal.signal(number, handler)
