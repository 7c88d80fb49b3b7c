"""Carry out a plan: with ``read_back``, which undoes what went wrong, the only module that calls a Store's ``write``.

The journal is written ahead of every write, each ``before`` is read again and compared, and each ``after`` is read
back. What an earlier run was cut short over is recognised by its value and not done twice.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from reconciler.engine.desire import Kinds
from reconciler.engine.observe import Stores
from reconciler.engine.read_back import as_found, read_back, stale, standing
from reconciler.errors import Interrupted, NotYet, ReconcilerError, StalePlan, StepFailed
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.event import NOBODY, Events
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.run_event import StepFoundDone, StepHeld, StepsBegun, StepsDone, StepsPutOff
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict
from reconciler.ports import Clock, Journal, NameServers, Store

_log: Final = logging.getLogger(__name__)

Judge = Callable[[Stage], Mapping[Address, Step]]
"""Reads and plans again when the turn of a stage comes: the steps that it finds, by address, of several the last."""

_OTHERWISE: Final = (
    "is not wanted any more as planned: a date in the spec has come, or something was changed since the plan was made; "
    "plan again"
)


@dataclass(frozen=True, slots=True)
class Hands:
    """All that a run works with. ``watched`` are the RRsets whose caches matter; ``stop`` is asked between writes."""

    stores: Stores
    kinds: Kinds
    journal: Journal
    clock: Clock
    events: Events = NOBODY
    name_servers: NameServers | None = None
    watched: frozenset[str] = frozenset()
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a run came: numbers of steps that were written, found done, and held back."""

    written: tuple[int, ...]
    already: tuple[int, ...]
    held: tuple[Step, ...]


def apply(plan: Plan, hands: Hands, judge: Judge | None = None) -> Outcome:
    """Do every step whose verdict is to run, stage by stage.

    When the turn of each stage comes, of the first one too, ``judge`` looks again: the plan may have been confirmed
    late, and what the earlier stages changed is now to be seen. A step that it holds back, or no longer wants as it
    stands in the plan, is not done, and nothing that comes after it. What is done already, or stands otherwise than the
    plan says, is told by reading it.

    Raises:
        StalePlan: a resource is no longer what the plan was made for; nothing of that step was written.
        StepFailed: a write failed or was not kept; the steps before it stand.
        Interrupted: ``stop`` said so; the step that was under way is complete.
        Locked: another run has taken the lock of this one; what was written until then stands.

    """
    run = hands.journal.open_run(plan)
    _log.info("run %d of %s to %s: %d steps may run", run, plan.domain, plan.stage.label, len(plan.runnable))
    try:
        outcome = _Run(run, hands).carry_out(plan, judge)
        hands.journal.hold()
    except StalePlan:
        _closed(hands, run, "stale")
        raise
    except Interrupted:
        _closed(hands, run, "stopped")
        raise
    except ReconcilerError:
        _closed(hands, run, "failed")
        raise
    _closed(hands, run, "done")
    return outcome


def _closed(hands: Hands, run: int, outcome: str) -> None:
    hands.journal.close_run(run, outcome)
    _log.info("run %d: %s", run, outcome)


class _Run:
    """One run: what it has written so far."""

    def __init__(self, number: int, hands: Hands) -> None:
        self.number = number
        self.hands = hands
        self.written: list[int] = []
        self.already: list[int] = []
        self.held: list[Step] = []
        self.known: dict[Address, Resource] = {}

    def carry_out(self, plan: Plan, judge: Judge | None) -> Outcome:
        self._look_at_name_servers()
        for stage, group in groupby(plan.steps, key=lambda step: step.stage):
            steps = list(group)
            if judge and any(step.verdict.status is Status.RUN for step in steps):
                steps = list(self._judged_again(steps, judge(stage)))
            if not self._do_stage(steps):
                self._hold(step for step in plan.steps if step.number > steps[-1].number)
                break
        return Outcome(tuple(self.written), tuple(self.already), tuple(self.held))

    def _judged_again(self, steps: Sequence[Step], now: Mapping[Address, Step]) -> Sequence[Step]:
        """The planned steps with the verdicts of now; from the first one that is wanted otherwise now, all are held."""
        judged = [
            step.judged(now[step.change.address].verdict) if step.change.address in now else step for step in steps
        ]
        first = self._wanted_otherwise(judged, now)
        if first is None:
            return judged
        self.hands.events.tell(StepsPutOff((first,), f"{first.change.address} {_OTHERWISE}"))
        held = Verdict(Status.WAIT, f"comes after step {first.number}, which {_OTHERWISE}")
        rest = (step for step in judged if step.number >= first.number and step.verdict.status is Status.RUN)
        verdicts = dict.fromkeys((step.number for step in rest), held) | {
            first.number: Verdict(Status.WAIT, f"it {_OTHERWISE}")
        }
        return [step.judged(verdicts.get(step.number, step.verdict)) for step in judged]

    def _wanted_otherwise(self, steps: Sequence[Step], now: Mapping[Address, Step]) -> Step | None:
        """The first that would be written as planned although a plan made now would not do it, or not so.

        Of several steps at one address ``now`` has the last, so the last of the plan is compared.
        """
        last = {step.change.address: step for step in steps}
        doubtful = [
            step
            for step in steps
            if step.verdict.status is Status.RUN and not self._is_wanted(last[step.change.address], now)
        ]
        found: dict[Address, Resource] = {}
        for (place, kind), group in groupby(doubtful, key=lambda s: (s.change.address.place, s.change.address.kind)):
            found |= standing(self.hands.stores[place, kind], list(group))
        return next((s for s in doubtful if found.get(s.change.address) == s.change.before), None)

    def _is_wanted(self, step: Step, now: Mapping[Address, Step]) -> bool:
        """A value that an earlier step has made must still be seen: else it is gone, and is not to be published."""
        again = now.get(step.change.address)
        return again is not None and again.change == self._filled(step.change)

    def _do_stage(self, steps: Sequence[Step]) -> bool:
        """Whether all of it is done, so that the next stage may be entered."""
        self._hold(step for step in steps if step.verdict.status is not Status.RUN)
        running = [step for step in steps if step.verdict.status is Status.RUN]
        for (place, kind), group in groupby(running, key=lambda s: (s.change.address.place, s.change.address.kind)):
            store = self.hands.stores[place, kind]
            for batch in _batches(list(group), store.batch):
                self.hands.journal.hold()
                if self.hands.stop():
                    msg = "stopped as asked; every step before this one is complete: apply again to go on"
                    raise Interrupted(msg)
                if not self._write(store, [self._resolved(step) for step in batch]):
                    self._hold(step for step in running if step.number >= batch[0].number)
                    return False
        return len(running) == len(steps)

    def _write(self, store: Store[Any], steps: Sequence[Step]) -> bool:
        """False where the world turned out not to be ready."""
        stands = standing(store, steps)
        todo: list[Step] = []
        for step in steps:
            change = step.change
            found = stands.get(change.address)
            if found == change.before:
                todo.append(step)
            elif self.hands.kinds.settled(change.after, found):
                self.already.append(step.number)
                self._know(found)
                self.hands.events.tell(StepFoundDone(step))
            else:
                raise StalePlan(stale(change, found))
        if not todo:
            return True
        self.hands.journal.begin(self.number, todo)
        for step in todo:
            _log.info("step %d: %s %s", step.number, step.change.verb.value, step.change.address)
        self.hands.events.tell(StepsBegun(tuple(todo)))
        try:
            store.write([step.change for step in todo])
            found_after = read_back(store, todo, self.hands.kinds)
            for resource in found_after:
                self._know(resource)
        except NotYet as error:
            self._account_for(store, todo, str(error))
            self.hands.events.tell(StepsPutOff(tuple(todo), str(error)))
            return False
        except ReconcilerError as error:
            self._account_for(store, todo, str(error))
            raise
        self.hands.journal.done(self.number, as_found(todo, found_after))
        self.written += [step.number for step in todo]
        self.hands.events.tell(StepsDone(tuple(todo)))
        if todo[0].change.address.place is Place.DNS:
            self._look_at_name_servers()
        return True

    def _account_for(self, store: Store[Any], steps: Sequence[Step], why: str) -> None:
        """Tell the journal which steps of a failed write did happen; where that cannot be read, it stays open."""
        try:
            stands = standing(store, steps)
        except ReconcilerError:
            return
        found = [(step, stands.get(step.change.address)) for step in steps]
        clean = [step for step, resource in found if resource == step.change.before]
        kept = [step for step, resource in found if self.hands.kinds.settled(step.change.after, resource)]
        if clean:
            self.hands.journal.failed(self.number, clean, why)
        if kept:
            self.hands.journal.done(self.number, as_found(kept, stands.values()))

    def _resolved(self, step: Step) -> Step:
        """The step with what earlier steps made filled in."""
        change = self._filled(step.change)
        if isinstance(change.after, RRset) and change.after.unknown:
            msg = f"{change.address}: {change.after.unknown[0]} does not show its value yet; plan again"
            raise StepFailed(msg)
        return replace(step, change=change)

    def _filled(self, change: Change) -> Change:
        """With what earlier steps made, as far as it shows."""
        after = change.after
        if not isinstance(after, RRset) or not after.unknown:
            return change
        for address in after.unknown:
            if address not in self.known:
                found = {r.address: r for r in self.hands.stores[address.place, address.kind].read({address.name})}
                self.known.update({a: r for a, r in found.items() if a == address})
        return Change(change.before, after.known(self.known))

    def _know(self, resource: Resource | None) -> None:
        if resource is not None:
            self.known[resource.address] = resource

    def _hold(self, steps: Iterator[Step]) -> None:
        for step in steps:
            self.held.append(step)
            _log.info("step %d is held back: %s: %s", step.number, step.change.address, step.verdict.why)
            self.hands.events.tell(StepHeld(step))

    def _look_at_name_servers(self) -> None:
        if self.hands.name_servers:
            served = self.hands.name_servers.served(self.hands.watched)
            self.hands.journal.see(served, self.hands.clock.now())


def _batches(steps: Sequence[Step], size: int) -> Iterator[Sequence[Step]]:
    for start in range(0, len(steps), max(size, 1)):
        yield steps[start : start + max(size, 1)]
