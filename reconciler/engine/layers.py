"""From where the world stands to the target stage, one stage at a time: pure.

A plan never jumps. An MX that still has its long TTL is first lowered (overlap) and then changed (cutover), each in
the layer of its stage, so that a check can hold the second until the first has had its effect. Where each address
stands is read from its value, not remembered: at the stages whose desired value it equals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.engine.desire import Values
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource, State
from reconciler.model.stage import Stage

FIRST, LAST = min(Stage), max(Stage)


@dataclass(frozen=True, slots=True)
class Layer:
    """The changes that make one stage true, in no order; ``back``: they come from a later stage."""

    stage: Stage
    changes: tuple[Change, ...]
    back: bool = False


def reached(values: Values, observed: State) -> Stage:
    """The stage that the zone shows: the first at which all that it holds is as desired by then.

    Going by the zone alone, because it is what the world acts upon.
    """
    firsts = [
        min(stages)
        for address, value in values.items()
        if address.place is Place.DNS and (stages := _stands_at(value, observed.get(address)))
    ]
    return max(firsts, default=FIRST)


def layers(values: Values, observed: State, target: Stage) -> tuple[Layer, ...]:
    """The stages on the way, those that go forward first, the target's own last."""
    here = reached(values, observed)
    forward: dict[Stage, list[Change]] = {}
    backward: dict[Stage, list[Change]] = {}
    always: list[Change] = []
    for address, value in values.items():
        if value.count(value[0]) == len(value):  # most things: the same at every stage
            if value[0] is not observed.get(address) and value[0] != observed.get(address):
                always.append(Change(observed.get(address), value[0]))
            continue
        for stage, change in _path(value, observed.get(address), here, target):
            (backward if stage > target else forward).setdefault(stage, []).append(change)
    if always:  # before everything that could need it, whatever other hands have done to the rest
        forward.setdefault(min([*forward, min(here, target)]), []).extend(always)
    order = [*sorted(s for s in forward if s < target), *sorted(backward, reverse=True)]
    found = [Layer(s, tuple(forward.get(s) or backward[s]), back=s in backward) for s in order]
    if target in forward:
        found.append(Layer(target, tuple(forward[target]), back=here > target))
    return tuple(found)


def advance(state: State, changes: tuple[Change, ...]) -> dict[Address, Resource]:
    """The state once the changes are done."""
    after = dict(state)
    for change in changes:
        if change.after is None:
            after.pop(change.address, None)
        else:
            after[change.address] = change.after
    return after


def _stands_at(value: tuple[Resource | None, ...], standing: Resource | None) -> list[Stage]:
    return [stage for stage in Stage if value[stage - 1] == standing]


def _path(
    value: tuple[Resource | None, ...], standing: Resource | None, here: Stage, target: Stage
) -> Iterator[tuple[Stage, Change]]:
    stages = _stands_at(value, standing)
    if stages:
        position = min(stages, key=lambda stage: (abs(stage - here), stage))
        way = list(range(position + 1, target + 1)) or list(range(position - 1, target - 1, -1))
    else:  # it drifted, or is new to the spec: first to where the rest of the world is
        way = list(range(min(here, target), target + 1))
    current = standing
    for stage in map(Stage, way):
        wanted = value[stage - 1]
        if wanted != current:
            yield stage, Change(current, wanted)
            current = wanted


def untouched(observed: Mapping[Address, Resource], values: Values) -> int:
    """How many of the things that were seen are not ours."""
    return sum(address not in values for address in observed)
