"""One move on files: the real backends, the real engine and the real journal; as ``tests.support.move`` in memory."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.app.move import Move
from reconciler.app.rolling_back import written_of
from reconciler.app.session import Session, open_products
from reconciler.engine.apply import apply
from reconciler.engine.planner import Rules
from reconciler.extend import Check
from reconciler.model.address import Address
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.spec.spec import Spec
from tests.support.clock import FakeClock
from tests.support.move import CHECKS, KINDS

MOST_ROUNDS = 20
_WRITES = ("replace", "rename", "unlink", "symlink", "mkdir")  # of os: all that changes what a folder shows


class FileMove:
    """Every method opens the products and the journal anew, as every command does."""

    def __init__(self, folder: Path, spec: Spec, checks: Mapping[str, Check] = CHECKS) -> None:
        self.path = folder / "migration.yaml"
        self.spec = spec
        self.rules = Rules(KINDS, checks)
        self.clock = FakeClock()

    @contextmanager
    def session(self) -> Iterator[Session]:
        move = Move(self.path, self.spec, self.clock)
        yield Session(move, move.digest(), self.rules, open_products(move))

    def world(self) -> dict[Address, Resource]:
        """All that every store can show, what the spec knows nothing of too."""
        with self.session() as session:
            return {resource.address: resource for store in session.stores.values() for resource in store.read()}

    def plan(self, stage: Stage) -> Plan:
        with self.session() as session, session.move.past() as past:
            return session.plan(session.look(past), stage)

    def apply(self, stage: Stage) -> Plan:
        """Carry out what may run; what is left."""
        return self._carry_out(lambda session, look, _past: session.plan(look, stage))

    def reach(self, stage: Stage) -> Plan:
        """Apply and wait, as a patient administrator does, until nothing is left; the last plan if something is."""
        return self._until_nothing_is_left(lambda: self.apply(stage))

    def roll_back(self) -> Plan:
        """Undo everything, waiting where it must."""
        return self._until_nothing_is_left(
            lambda: self._carry_out(lambda session, look, past: session.plan_back(look, written_of(session, past)))
        )

    def _until_nothing_is_left(self, act: Callable[[], Plan]) -> Plan:
        left = act()
        for _ in range(MOST_ROUNDS):
            if not any(step.verdict.status in (Status.RUN, Status.WAIT) for step in left.steps):
                break
            if left.next_time and not left.runnable:
                self.clock.advance(left.next_time - self.clock.now() + timedelta(seconds=1))
            left = act()
        return left

    def _carry_out(self, planned: Callable[[Session, Any, Any], Plan]) -> Plan:
        with self.session() as session, session.move.journal() as journal, journal.lock:

            def again() -> Plan:
                return planned(session, session.look_and_note(journal), journal.past)

            plan = again()

            def judge(stage: Stage) -> dict[Address, Step]:
                return {step.change.address: step for step in again().steps if step.stage is stage}

            apply(plan, session.hands(journal, lambda: False), judge)
            return again()

    def killed(self, act: Callable[[], object], at: int = 0, *, after: bool = False) -> int:
        """Do it in a process of its own that is killed at its ``at``-th write to a folder; how many it came to.

        With 0 it is left to finish.
        """
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the child runs no other thread's code
            child = os.fork()
        if not child:
            try:
                _Fuse(writer, at, after=after).lay()
                act()
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            count = len(pipe.read())
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert ended == (-signal.SIGKILL if at and count == at else 0), f"ended with {ended} at write {count}"
        return count


class _Fuse:
    """Counts what changes a folder, an octet each into a pipe, and kills the process at the one that is meant."""

    def __init__(self, pipe: int, at: int, *, after: bool) -> None:
        self._pipe = pipe
        self._left = at
        self._after = after

    def lay(self) -> None:
        for name in _WRITES:
            setattr(os, name, self._counting(getattr(os, name)))

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            os.write(self._pipe, b".")
            if not self._left and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            last = not self._left
            try:
                return real(*arguments, **options)
            finally:
                if last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return write
