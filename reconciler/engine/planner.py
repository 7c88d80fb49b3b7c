"""Spec and world to a plan: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.analysis.effects import takes_address_away
from reconciler.engine.by_hand import instruction
from reconciler.engine.desire import Kinds, Values, desire
from reconciler.engine.judge import Judgement, held_by, judge, worst
from reconciler.engine.layers import Layer, advance, layers
from reconciler.engine.order import needed_steps, order
from reconciler.extend import Check, Facts, Keeps, Refuses, Rests
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.last_pass import LastPass
from reconciler.model.outside import NOTHING, Outside
from reconciler.model.plan import Finding, Intent, Plan, Step
from reconciler.model.resource import Resource, State
from reconciler.model.sighting import History
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Status, Verdict
from reconciler.spec.spec import Spec


@dataclass(frozen=True, slots=True)
class World:
    """Everything that was read: the servers and the zone, and what the journal knows that they cannot tell.

    ``by_hand`` are the (place, kind) pairs that can be read but not written, ``unseen`` those that can neither;
    ``names`` is what people call the product at each place, ``keeps`` and ``refuses`` what it makes of a wish,
    ``rests`` what else goes with what is taken away, ``zone_at`` those whose machine keeps the zone too; ``outside`` is
    what probes have seen, ``copies`` the last pass over the mail of each mailbox.
    """

    now: datetime
    observed: State
    baseline: Mapping[Address, Resource | None] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)
    by_hand: frozenset[tuple[Place, str]] = frozenset()
    unseen: frozenset[tuple[Place, str]] = frozenset()
    names: Mapping[Place, str] = field(default_factory=dict)
    keeps: Mapping[Place, Keeps] = field(default_factory=dict)
    refuses: Mapping[Place, Refuses] = field(default_factory=dict)
    rests: Mapping[Place, Rests] = field(default_factory=dict)
    zone_at: frozenset[Place] = frozenset()
    outside: Outside = NOTHING
    copies: Mapping[str, LastPass] = field(default_factory=dict)

    @property
    def unwritable(self) -> frozenset[tuple[Place, str]]:
        """The (place, kind) pairs whose steps a person does."""
        return self.by_hand | self.unseen


@dataclass(frozen=True, slots=True)
class Rules:
    """What the house knows: the kinds and the checks, as they were discovered."""

    kinds: Kinds
    checks: Mapping[str, Check]


def make_plan(
    spec: Spec, target: Stage, rules: Rules, world: World, *, digest: str = "", values: Values | None = None
) -> Plan:
    """The steps from the world as it is to ``target``, each with its verdict.

    ``values``: what ``desire`` gives for this world, if the caller has asked already.

    Raises:
        DependencyCycle: resources need one another in a circle.

    """
    today = spec.on(world.now.date())
    values = values or desire(today, rules.kinds, world.observed, world.baseline, world.keeps)
    done = {Address.parse(text) for text in spec.done_by_hand}
    values = {
        address: value
        for address, value in values.items()
        if not (address in done and (address.place, address.kind) in world.unseen)
    }
    way = layers(values, world.observed, target)
    return assemble(today, way, target, rules, world, digest=digest)


def assemble(
    spec: Spec,
    way: Sequence[Layer],
    target: Stage,
    rules: Rules,
    world: World,
    *,
    digest: str = "",
    intent: Intent = Intent.APPLY,
) -> Plan:
    """Layers to numbered and judged steps; the target's checks are asked even if nothing is left to do."""
    steps: list[Step] = []
    findings: list[Finding] = []
    expected: State = world.observed
    if not any(layer.stage is target for layer in way):
        way = [*way, Layer(target, ())]
    end = advance(world.observed, tuple(change for layer in way for change in layer.changes))
    for layer in way:
        desired = advance(expected, layer.changes)
        facts = _facts(layer, world, expected, desired, end)
        judgement = judge(spec, rules.checks, facts)
        findings += (finding for finding in judgement.findings if finding not in findings)
        steps += _steps(layer, steps, judgement, world, dict(_resting(world, expected, desired)))
        expected = desired
    return Plan(spec.domain, target, world.now, digest, tuple(steps), tuple(findings), intent)


def _facts(layer: Layer, world: World, expected: State, desired: State, end: State) -> Facts:
    return Facts(
        now=world.now,
        stage=layer.stage,
        observed=world.observed,
        expected=expected,
        desired=desired,
        end=end,
        changes=layer.changes,
        baseline=world.baseline,
        histories=world.histories,
        by_hand=world.unwritable,
        back=layer.back,
        outside=world.outside,
        copies=world.copies,
    )


def _resting(world: World, expected: State, desired: State) -> Iterator[tuple[Place, Verdict]]:
    """The places from which no address goes in this layer, because something else would go with it."""
    for place, rests in world.rests.items():
        if why := rests(expected, desired, keeps_zone=place in world.zone_at):
            yield place, Verdict(Status.BLOCKED, f"{world.names.get(place, place)}: {why}")


def _steps(
    layer: Layer, earlier: Sequence[Step], judgement: Judgement, world: World, resting: Mapping[Place, Verdict]
) -> list[Step]:
    """Number, join to what each needs, and judge.

    A stage is entered only when the ones before it are complete: one step of an earlier layer that does not run now
    holds back all of this one.
    """
    numbers = {step.change.address: step.number for step in earlier}
    barrier = _barrier(earlier)
    unwritable = world.unwritable
    steps: list[Step] = []
    by_number = {step.number: step for step in earlier}
    for number, change in enumerate(order(layer.changes), len(earlier) + 1):
        after = {numbers[need] for need in needed_steps(change) if need in numbers}
        if change.address in numbers:
            after.add(numbers[change.address])
        held = [by_number[n] for n in sorted(after) if by_number[n].verdict.status is not Status.RUN]
        by_hand = (change.address.place, change.address.kind) in unwritable
        verdicts = [judgement.verdict(change), barrier, RUN if by_hand else _refused(change, world)]
        if takes_address_away(change):
            verdicts.append(resting.get(change.address.place, RUN))
        verdicts += [held_by(h.change.address, [h.number], h.verdict) for h in held]
        verdict, note = worst(verdicts), ""
        if by_hand:
            note = _note(change, world, later=verdict is not RUN)
            verdict = _by_hand(change, world) if verdict is RUN else verdict
        step = Step(number, layer.stage, change, tuple(sorted(after)), verdict=verdict, note=note)
        steps.append(step)
        numbers[change.address] = number
        by_number[number] = step
    return steps


def _barrier(earlier: Sequence[Step]) -> Verdict:
    held = [step for step in earlier if step.verdict.status is not Status.RUN]
    if not held:
        return RUN
    first = max(held, key=lambda step: step.verdict.status.severity)
    numbers = [first.number, *(step.number for step in held if step is not first)]
    return held_by(first.change.address, numbers, worst(step.verdict for step in held))


def _by_hand(change: Change, world: World) -> Verdict:
    """By hand is how it is done; when it is due the checks say."""
    return Verdict(Status.BY_HAND, f"by hand on {world.names.get(change.address.place, change.address.place)}")


def _refused(change: Change, world: World) -> Verdict:
    """Blocked where the product will not make a change of a kind that it else writes."""
    place = change.address.place
    refuses = world.refuses.get(place)
    why = refuses(change) if refuses else None
    return Verdict(Status.BLOCKED, f"{world.names.get(place, place)}: {why}") if why else RUN


def _note(change: Change, world: World, *, later: bool) -> str:
    text = "later, " if later else ""
    text += instruction(change, world.names.get(change.address.place, change.address.place))
    unseen = (change.address.place, change.address.kind) in world.unseen
    return f"{text}; then list {change.address} under done_by_hand in the spec" if unseen else text
