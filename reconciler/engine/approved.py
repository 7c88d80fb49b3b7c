"""What of a plan made now may be done by one that was approved earlier: it can only hold back. Pure.

Nothing of the approved plan is carried out: the steps of the plan made now are, those that both have. Verdicts,
references of secrets and programs of the approved plan are never looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from reconciler.engine.desire import Kinds
from reconciler.engine.judge import held_by
from reconciler.errors import StalePlan
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.codec import told_fields
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict
from reconciler.wording.differences import differences, first_of

NOT_APPROVED: Final = Verdict(Status.WAIT, "is not in the plan that was approved: plan again, and have it approved")
_MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Approved:
    """``plan``: the one made now, with all held back that was not approved. ``standing``: what is done already."""

    plan: Plan
    standing: tuple[Step, ...]


def approved(earlier: Plan, now: Plan, observed: State, kinds: Kinds) -> Approved:
    """Hold the plan made now to the earlier one.

    A step of the earlier plan is (a) in the plan made now, with the same address, before and after: it is done as the
    plan made now judges it; or (b) already standing as its after.

    Raises:
        StalePlan: (c) a step is neither; says what differs. Nothing of the plan may be done then.

    """
    wanted, found = _by_address(earlier), _by_address(now)
    standing: list[Step] = []
    allowed: set[int] = set()
    departures: list[str] = []
    for address, steps in wanted.items():
        those = found.get(address, [])
        done = _done(steps, those, observed, kinds)
        standing += steps[:done]
        rest = steps[done:]
        if all(_same(*pair, observed) for pair in zip_longest(rest, those[: len(rest)])):
            allowed.update(step.number for step in those[: len(rest)])
        else:
            departures += _departure(rest, those, observed)
    if departures:
        more = f"; and {len(departures) - _MOST_TOLD:,} more" if len(departures) > _MOST_TOLD else ""
        msg = (
            f"the approved plan is not what would be done now: {'; '.join(departures[:_MOST_TOLD])}{more}. Nothing was "
            "written: plan again, look at the difference, and have the new plan approved"
        )
        raise StalePlan(msg)
    return Approved(replace(now, steps=tuple(_held(now.steps, allowed))), tuple(standing))


def _by_address(plan: Plan) -> dict[Address, list[Step]]:
    found: dict[Address, list[Step]] = {}
    for step in plan.steps:
        found.setdefault(step.change.address, []).append(step)
    return found


def _done(steps: Sequence[Step], now: Sequence[Step], observed: State, kinds: Kinds) -> int:
    """How many of the steps at one address are behind us: up to the last that left what stands."""
    if len(steps) <= len(now) and all(_same(*pair, observed) for pair in zip(steps, now, strict=False)):
        return 0
    stands = observed.get(steps[0].change.address)
    left = [n for n, step in enumerate(steps, 1) if kinds.settled(_filled(step.change, observed).after, stands)]
    return max(left, default=0)


def _same(earlier: Step | None, now: Step | None, observed: State) -> bool:
    if earlier is None or now is None:
        return False
    return _filled(earlier.change, observed) == _filled(now.change, observed)


def _filled(change: Change, observed: State) -> Change:
    """With what the world shows by now of values that were not known when the plan was made."""
    return Change(
        *(each.known(observed) if isinstance(each, RRset) else each for each in (change.before, change.after))
    )


def _held(steps: Sequence[Step], allowed: set[int]) -> Iterator[Step]:
    """What was not approved waits, and with it what needs it and every later stage."""
    held: dict[int, Step] = {}
    barrier: tuple[Stage, Step] | None = None
    for step in steps:
        verdict = step.verdict
        first = next((held[number] for number in step.after if number in held), None)
        if first is None and barrier and barrier[0] is not step.stage:
            first = barrier[1]
        if step.number not in allowed:
            verdict = NOT_APPROVED
        elif first and verdict.status is Status.RUN:
            verdict = held_by(first.change.address, [first.number], NOT_APPROVED)
        if step.number not in allowed or first:
            held[step.number] = step
            barrier = barrier or (step.stage, step)
        yield step.judged(verdict)


def _departure(earlier: Sequence[Step], now: Sequence[Step], observed: State) -> Iterator[str]:
    """What is told apart at one address, the first pair that differs."""
    for one, other in zip_longest(earlier, now):
        if _same(one, other, observed):
            continue
        address = (one or other).change.address
        if one is None:
            return
        if other is None:
            stands = observed.get(address)
            yield f"{address} would not be changed now, and {_against(one.change, stands)}"
            return
        yield f"{address}: {first_of([*_told('before', one, other), *_told('after', one, other)])}"
        return


def _told(side: str, one: Step, other: Step) -> Iterator[str]:
    yield from (f"{side} {text}" for text in differences(*(told_fields(getattr(s.change, side)) for s in (one, other))))


def _against(change: Change, stands: Resource | None) -> str:
    told = differences(told_fields(change.after), told_fields(stands))
    return f"what was approved differs from what stands: {first_of(told)}" if told else "it stands already"
