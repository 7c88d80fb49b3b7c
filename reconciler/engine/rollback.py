"""Put back what runs have changed: from the journal's snapshots to a plan like any other. Pure.

It goes back the way it came, stage by stage: first what ``harden`` changed, then the MX, and only when no cache sends
mail to the new server any more what that server needs; an MX that somebody else has turned to it is turned back first.
Where somebody else has changed a thing since, only our part is
taken back if that can be told apart (rdata in an RRset, our rule in a script); else its steps are blocked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.analysis.cutover_records import turns
from reconciler.analysis.effects import removes_from_new
from reconciler.engine.desire import Values
from reconciler.engine.layers import Layer, advance, layers
from reconciler.engine.planner import Rules, World, assemble
from reconciler.engine.trail import Trail, Written, trails
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.plan import Intent, Plan, Step
from reconciler.model.resource import State
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict
from reconciler.spec.spec import Spec

_CHANGED_SINCE: Final = Verdict(
    Status.BLOCKED,
    "somebody has changed it since it was written (a later run of ours, too): roll that back first, or put it right "
    "by hand",
)

_UNKNOWN: Final = Verdict(
    Status.BLOCKED,
    "the spec does not name it any more, and a value that only the journal knows is not written: name it in the spec "
    "again, or put it back by hand",
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
    values = values or {}  # what no stage names is then unknown
    way = _Way(rules, written)
    way.back(world.observed)
    if way.takes_addresses_away:  # only when the world does not send mail there any more
        written_here = {each.change.address for each in written} | world.baseline.keys()
        others = way.conflicts | {turn.address for turn in turns(spec) if turn.address not in written_here}
        turned = dict(_turned_since(spec, values, world.observed, others))
        way = _Way(rules, written)
        way.back(advance(world.observed, tuple(turned.values())))
        for change in turned.values():
            way.begins_with(change)
    target = _back_to(min((each.stage for each in written if each.asked), default=min(Stage)))
    for stage, change in _made_on_the_way(rules, world, values, target):
        way.by_stage.setdefault(stage, []).append(change)
    plan = assemble(
        spec.on(world.now.date()), way.layers(), target, rules, world, digest=digest, intent=Intent.ROLLBACK
    )
    return replace(plan, steps=tuple(_kept_where_changed(plan.steps, way.conflicts, values)))


class _Way:
    """The way back: the changes by the stage that they undo, and the addresses that somebody else has changed."""

    def __init__(self, rules: Rules, written: Sequence[Written]) -> None:
        self._kinds, self._written = rules.kinds, written
        self.by_stage: dict[Stage, list[Change]] = {}
        self.conflicts: set[Address] = set()

    def back(self, observed: State) -> None:
        """Walk from what stands to what stood before."""
        found = trails(self._written, observed)
        for address, trail in found.items():
            if trail.is_back(self._kinds) or _owner_is_back(trail, found, observed):
                continue
            if not trail.is_ours(self._kinds):
                self.conflicts.add(address)
            for stage, change in trail.steps(self._kinds):
                self.by_stage.setdefault(stage, []).append(change)

    def begins_with(self, change: Change) -> None:
        """Undo this at the cutover; where the walk has a change of the same address there, both in one."""
        changes = self.by_stage.setdefault(Stage.CUTOVER, [])
        further = [each for each in changes if each.address == change.address]
        changes[:] = [each for each in changes if each.address != change.address]
        changes.append(Change(change.before, further[0].after) if further else change)

    @property
    def takes_addresses_away(self) -> bool:
        """Whether the new server stops to take mail for something."""
        return any(removes_from_new(change) for changes in self.by_stage.values() for change in changes)

    def layers(self) -> tuple[Layer, ...]:
        """The latest stage first."""
        stages = sorted(self.by_stage, reverse=True)
        return tuple(Layer(_back_to(stage), tuple(self.by_stage[stage]), back=True) for stage in stages)


def _turned_since(
    spec: Spec, values: Values, observed: State, others: Collection[Address]
) -> Iterator[tuple[Address, Change]]:
    """What others have turned to the new server, just as the spec wants it at the cutover.

    Turned back with the TTL that it has: what is raised is raised when no cache holds it any more.
    """
    for turn in turns(spec):
        standing, value = turn.stands(observed), values.get(turn.address)
        back = value[min(Stage) - 1] if value else None
        if turn.address not in others or standing is None or standing.rdata != turn.new:
            continue
        if isinstance(back, RRset) and back.rdata != standing.rdata:
            yield turn.address, Change(standing, back.model_copy(update={"ttl": standing.ttl}))


def _made_on_the_way(rules: Rules, world: World, values: Values, target: Stage) -> Iterator[tuple[Stage, Change]]:
    """What no snapshot holds because it has to be made: each change with the stage that it undoes."""
    made = {kind.type.kind for kind in rules.kinds.servers if kind.comes_back}
    for layer in layers(values, world.observed, target):
        yield from ((Stage(layer.stage + 1), change) for change in layer.changes if change.address.kind in made)


def _kept_where_changed(steps: Iterable[Step], conflicts: Collection[Address], known: Values) -> Iterator[Step]:
    """Block what somebody else has changed, and the removal of what it needs: a script keeps its account.

    Blocked too is a value of what no stage of the spec names: a journal cannot bring it in.
    """
    kept: set[Address] = set()
    for step in steps:
        change = step.change
        if change.address in conflicts:
            yield step.judged(_CHANGED_SINCE)
        elif change.after is not None and change.address not in known:
            yield step.judged(_UNKNOWN)
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
