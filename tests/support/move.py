"""One move in memory: the real engine and the real journal around stores that are dicts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from reconciler.engine.apply import Hands, Outcome, apply
from reconciler.engine.desire import Kinds, desire
from reconciler.engine.observe import observe
from reconciler.engine.planner import Rules, World, make_plan
from reconciler.engine.rollback import plan_rollback
from reconciler.engine.trail import Written
from reconciler.engine.zone import claimed_names
from reconciler.extend import Check, Keeps, RecordKind, Refuses, Rests, ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.plan import Intent, Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History, Sighting
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.plugins import discover
from reconciler.products.memory.server import store_of
from reconciler.products.memory.store import MemoryNameServers, MemoryStore
from reconciler.spec.spec import Spec
from tests.support.clock import FakeClock
from tests.support.outside import seen_outside
from tests.support.post import Post, mail_stores

KINDS = Kinds(
    tuple(
        kind for room in ("server", "mail") for kind in discover(f"reconciler.resources.{room}", ServerKind).values()
    ),
    tuple(discover("reconciler.resources.dns", RecordKind).values()),
)
TYPES = KINDS.types | {RRset.kind: RRset}
CHECKS = discover("reconciler.checks", Check)
NO_CHECKS: Mapping[str, Check] = {}


class MemoryJournal:
    """A journal that keeps in lists what the database keeps in tables; held to the same tests."""

    def __init__(self) -> None:
        self.written: list[tuple[int, Step, str]] = []
        self.asked: list[Step] = []
        self.sightings: dict[tuple[str, str], list[Any]] = {}
        self.runs = 0
        self.rollbacks: set[int] = set()

    def open_run(self, plan: Plan) -> int:
        self.runs += 1
        if plan.intent is Intent.ROLLBACK:
            self.rollbacks.add(self.runs)
        return self.runs

    def begin(self, run: int, steps: Sequence[Step]) -> None:
        self.written += [(run, step, "begun") for step in steps]
        self.asked += steps

    def done(self, run: int, steps: Sequence[Step]) -> None:
        found = {step.number: step for step in steps}
        self.written = [(r, found.get(s.number, s) if r == run else s, was) for r, s, was in self.written]
        self._mark(run, steps, "done")

    def failed(self, run: int, steps: Sequence[Step], why: str) -> None:
        self._mark(run, steps, "failed")

    def _mark(self, run: int, steps: Sequence[Step], state: str) -> None:
        numbers = {step.number for step in steps}
        self.written = [
            (r, step, state if r == run and step.number in numbers else was) for r, step, was in self.written
        ]

    def close_run(self, run: int, outcome: str) -> None: ...

    def hold(self) -> None: ...

    def baselines(self) -> dict[Address, Resource | None]:
        base: dict[Address, Resource | None] = {}
        for run, step, state in self.written:
            address = step.change.address
            if state == "failed" or (run in self.rollbacks and address not in base):
                continue
            base.setdefault(address, step.change.before)
            if base[address] == step.change.after:
                del base[address]
        return base

    def see(self, served: Mapping[str, Mapping[str, RRset | None]], at: Any) -> None:
        for server, rrsets in served.items():
            for name, value in rrsets.items():
                known = self.sightings.setdefault((server, name), [])
                if not known or known[-1].gone or known[-1].value != value:
                    known.append(Sighting(server, name, value, at))
        watched = {name for rrsets in served.values() for name in rrsets}
        for (server, name), known in self.sightings.items():
            if served and server not in served and name in watched and not known[-1].gone:
                known.append(Sighting(server, name, None, at, gone=True))

    def histories(self) -> dict[str, Any]:
        names = {name for _, name in self.sightings}
        return {
            n: History.of(s for (_, name), all_ in self.sightings.items() if name == n for s in all_) for n in names
        }

    def carried_out(self) -> list[Step]:
        """What was done, as it was asked for; ``written`` has it as it was found after."""
        return [asked for asked, (_, _, state) in zip(self.asked, self.written, strict=True) if state == "done"]

    def to_roll_back(self) -> list[Written]:
        made: set[Address] = set()
        found = []
        for run, step, state in self.written:
            if run not in self.rollbacks:
                made.add(step.change.address)
            if state != "failed" and step.change.address in made:
                found.append(Written(step.stage, step.change, sure=state == "done"))
        return found


class Move:
    """The spec, the world it meets, and what the tool does to it.

    Where checks judge, mail is told from passes and the TTL clock, as it is in earnest; else a store keeps whatever it
    is given, mail too, so that all is reached at once.
    """

    def __init__(self, spec: Spec, *start: Resource, checks: Mapping[str, Check] = CHECKS) -> None:
        self.spec = spec
        self.rules = Rules(KINDS, checks)
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.stores: dict[tuple[Place, str], Any] = {
            (place, kind.type.kind): store_of(
                kind.type.kind, *(r for r in start if (r.place, r.kind) == (place, kind.type.kind))
            )
            for place in (Place.OLD, Place.NEW)
            for kind in KINDS.servers
        }
        zone = MemoryStore(*(r for r in start if r.place is Place.DNS))
        self.stores[Place.DNS, RRset.kind] = zone
        self.name_servers = MemoryNameServers(zone, "ns1", "ns2")
        self.unseen: frozenset[tuple[Place, str]] = frozenset()
        self.keeps: dict[Place, Keeps] = {}
        self.refuses: dict[Place, Refuses] = {}
        self.rests: dict[Place, Rests] = {}
        self.post = Post()
        if spec.mail_copy and checks:
            self.stores |= mail_stores(self.post, self.clock, lambda: self.spec, self.journal.histories)

    def state(self) -> dict[Address, Resource]:
        return observe(self.stores, self.spec, KINDS)

    def world(self) -> World:
        if self.spec.mail_copy:
            self.journal.see(self.name_servers.served(claimed_names(self.spec, KINDS.records)), self.clock.now())
        observed = self.state()
        return World(
            now=self.clock.now(),
            observed=observed,
            baseline=self.journal.baselines(),
            histories=self.journal.histories(),
            unseen=self.unseen,
            keeps=self.keeps,
            refuses=self.refuses,
            rests=self.rests,
            outside=seen_outside(self.spec, observed, self.clock),
            copies=self.post.passes[Place.NEW],
        )

    def plan(self, stage: Stage) -> Plan:
        return make_plan(self.spec, stage, self.rules, self.world())

    def hands(self, stop: Callable[[], bool] = lambda: False) -> Hands:
        return Hands(
            self.stores,
            KINDS,
            self.journal,
            self.clock,
            name_servers=self.name_servers,
            watched=claimed_names(self.spec, KINDS.records),
            stop=stop,
        )

    def apply(self, stage: Stage) -> Outcome:
        return self.carry_out(self.plan(stage))

    def carry_out(self, plan: Plan) -> Outcome:
        return apply(plan, self.hands(), lambda stage: of_stage(self.again(plan), stage))

    def again(self, plan: Plan) -> Plan:
        """The same, made now."""
        return self.plan_back() if plan.intent is Intent.ROLLBACK else self.plan(plan.stage)

    def reach(self, stage: Stage) -> Plan:
        """Apply and wait, as a patient administrator does, until nothing is left; the last plan if something is."""
        plan = self.plan(stage)
        for _ in range(20):
            if not plan.steps:
                break
            self.carry_out(plan)
            plan = self.plan(stage)
            if not any(step.verdict.status in (Status.RUN, Status.WAIT) for step in plan.steps):
                break
            if plan.next_time and not plan.runnable:
                self.clock.advance(plan.next_time - self.clock.now() + timedelta(seconds=1))
        return plan

    def roll_back(self) -> Plan:
        """Undo everything, waiting where it must."""
        plan = self.plan_back()
        for _ in range(30):
            if not plan.steps:
                break
            self.carry_out(plan)
            plan = self.plan_back()
            if plan.next_time and not plan.runnable:
                self.clock.advance(plan.next_time - self.clock.now() + timedelta(seconds=1))
        return plan

    def plan_back(self) -> Plan:
        world = self.world()
        values = desire(self.spec.on(world.now.date()), KINDS, world.observed, world.baseline, world.keeps)
        return plan_rollback(self.spec, self.journal.to_roll_back(), self.rules, world, values)


def of_stage(plan: Plan, stage: Stage) -> dict[Address, Step]:
    """Its steps of one stage, as apply takes them."""
    return {step.change.address: step for step in plan.steps if step.stage is stage}
