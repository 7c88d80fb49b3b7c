"""Put back what runs have changed: from the journal's snapshots to a plan like any other. Pure.

It goes back the way it came, stage by stage: first what ``harden`` changed, then the MX, and only when no cache sends
mail to the new server any more what that server needs. Where somebody else has changed a thing since, only our part is
taken back if that can be told apart (rdata in an RRset, our rule in a script); else its steps are blocked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.engine.desire import Values
from reconciler.engine.layers import Layer, layers
from reconciler.engine.planner import Rules, World, assemble
from reconciler.engine.trail import Trail, Written, trails
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.plan import Intent, Plan, Step
from reconciler.model.resource import State
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict
from reconciler.spec.spec import Spec

_CHANGED_SINCE: Final = Verdict(
    Status.BLOCKED,
    "somebody has changed it since it was written (a later run of ours, too): roll that back first, or put it right "
    "by hand",
)

_STILL_NEEDED: Final = Verdict(Status.BLOCKED, "what somebody has changed since needs it")


def plan_rollback(
    spec: Spec,
    written: Sequence[Written],
    rules: Rules,
    world: World,
    values: Values | None = None,
    *,
    digest: str = "",
) -> Plan:
    """The steps that put back what stood before the first of ``written`` (oldest first).

    What later rollbacks wrote at the same addresses belongs to ``written``, so that one that had to wait goes on.
    ``values``: what the spec wants at each stage, of which those kinds are made that whoever goes back must make.
    """
    by_stage: dict[Stage, list[Change]] = {}
    conflicts: set[Address] = set()
    found = trails(written, world.observed)
    for address, trail in found.items():
        if trail.is_back(rules.kinds) or _owner_is_back(trail, found, world.observed):
            continue
        if not trail.is_ours(rules.kinds):
            conflicts.add(address)
        for stage, change in trail.steps(rules.kinds):
            by_stage.setdefault(stage, []).append(change)
    target = _back_to(min((each.stage for each in written if each.asked), default=min(Stage)))
    for stage, change in _made_on_the_way(rules, world, values or {}, target):
        by_stage.setdefault(stage, []).append(change)
    way = tuple(Layer(_back_to(stage), tuple(by_stage[stage]), back=True) for stage in sorted(by_stage, reverse=True))
    plan = assemble(spec.on(world.now.date()), way, target, rules, world, digest=digest, intent=Intent.ROLLBACK)
    return replace(plan, steps=tuple(_kept_where_changed(plan.steps, conflicts)))


def _made_on_the_way(rules: Rules, world: World, values: Values, target: Stage) -> Iterator[tuple[Stage, Change]]:
    """What no snapshot holds because it has to be made: each change with the stage that it undoes."""
    made = {kind.type.kind for kind in rules.kinds.servers if kind.comes_back}
    for layer in layers(values, world.observed, target):
        yield from ((Stage(layer.stage + 1), change) for change in layer.changes if change.address.kind in made)


def _kept_where_changed(steps: Iterable[Step], conflicts: Collection[Address]) -> Iterator[Step]:
    """Block what somebody else has changed, and the removal of what it needs: a script keeps its account."""
    kept: set[Address] = set()
    for step in steps:
        change = step.change
        if change.address in conflicts:
            yield step.judged(_CHANGED_SINCE)
        elif change.after is None and change.address in kept:
            yield step.judged(_STILL_NEEDED)
        else:
            yield step
            continue
        kept.update(change.before.needs() if change.before else ())


def _owner_is_back(trail: Trail, found: Mapping[Address, Trail], observed: State) -> bool:
    """Whether it cannot be seen any more because the account that it belongs to is gone, as it was at the start."""
    if trail.standing is not None or trail.start is None:
        return False
    owners = [need for need in trail.start.needs() if need.place is trail.start.place and need in found]
    return any(found[owner].start is None and owner not in observed for owner in owners)


def _back_to(stage: Stage) -> Stage:
    """The stage that stands once what belongs to ``stage`` is undone; before prepare there is none."""
    return Stage(max(stage - 1, min(Stage)))
