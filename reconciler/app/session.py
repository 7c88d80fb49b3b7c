"""One move with both servers and the zone open: it can be looked at and planned."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from reconciler.app.copying.carrier import Carrier
from reconciler.app.copying.ledger import last_passes
from reconciler.app.copying.stores import mail_stores
from reconciler.app.move import Move, kinds
from reconciler.app.products import SERVERS, ZONES, Products
from reconciler.engine.apply import Hands
from reconciler.engine.desire import Values, desire
from reconciler.engine.layers import layers, reached, untouched
from reconciler.engine.observe import Stores, observe
from reconciler.engine.planner import Rules, World, make_plan
from reconciler.engine.rollback import plan_rollback
from reconciler.engine.trail import Written
from reconciler.engine.zone import claimed_names
from reconciler.extend import Check, Context, Opened, Probe, Surroundings
from reconciler.mailcopy.turns import ALONE, Turns
from reconciler.model.address import Address, Place
from reconciler.model.event import NOBODY, Events
from reconciler.model.outside import NOTHING, Outside
from reconciler.model.plan import Plan
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History
from reconciler.model.stage import Stage
from reconciler.plugins import discover
from reconciler.ports import Clock, Journal
from reconciler.spec.servers import Dns, Server
from reconciler.transports.secrets import ReferencedSecrets

_log: Final = logging.getLogger(__name__)


class Remembered(Protocol):
    """What planning takes from a journal."""

    def baselines(self) -> Mapping[Address, Resource | None]:
        """The value before this move's first change."""

    def histories(self) -> Mapping[str, History]:
        """RRset name to its sightings."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The world as it was read at one moment, and what should exist in it at each stage."""

    world: World
    values: Values

    @property
    def untouched(self) -> int:
        """How many of the things that were read are not ours."""
        return untouched(self.world.observed, self.values)

    @property
    def reached(self) -> Stage:
        """The stage that the zone shows."""
        return reached(self.values, self.world.observed)

    def zone_at(self, stage: Stage) -> State:
        """The whole zone, as far as it was read, once that stage is complete."""
        standing = {address: it for address, it in self.world.observed.items() if address.place is Place.DNS}
        wanted = {address: value[stage - 1] for address, value in self.values.items() if address.place is Place.DNS}
        return {address: it for address, it in (standing | wanted).items() if it is not None}


@dataclass(frozen=True, slots=True)
class Session:
    """``opened``: the product at each place, ready to be read. ``events`` hear how a run goes."""

    move: Move
    digest: str
    rules: Rules
    opened: Mapping[Place, Opened]
    events: Events = NOBODY

    @property
    def stores(self) -> Stores:
        """Every store of every place."""
        return {(place, kind): store for place, it in self.opened.items() for kind, store in it.stores.items()}

    def look(self, remembered: Remembered) -> Sight:
        """Read everything.

        Raises:
            ObserveError: a server, file or zone could not be read.

        """
        stores = {**self.stores, **mail_stores(self.move, remembered.histories)}
        by_hand = frozenset((place, kind) for place, it in self.opened.items() for kind in it.by_hand)
        known = [(place, kind.type.kind) for place in (Place.OLD, Place.NEW) for kind in self.rules.kinds.servers]
        world = World(
            now=self.move.clock.now(),
            observed=observe(stores, self.move.spec, self.rules.kinds),
            baseline=remembered.baselines(),
            histories=remembered.histories(),
            by_hand=by_hand,
            unseen=frozenset([*known, (Place.DNS, RRset.kind)]) - by_hand - frozenset(stores),
            names={place: it.name for place, it in self.opened.items()},
            keeps={place: it.keeps for place, it in self.opened.items() if it.keeps},
            refuses={place: it.refuses for place, it in self.opened.items() if it.refuses},
            rests={place: it.rests for place, it in self.opened.items() if it.rests},
            zone_at=frozenset(place for place, it in self.opened.items() if it.machine == self._zone_machine != ""),
            copies=last_passes(self.move.path) if self.move.spec.mail_copy else {},
        )
        _log.info("%s was read: %d resources", self.move.spec.domain, len(world.observed))
        today = self.move.spec.on(world.now.date())
        return Sight(world, desire(today, self.rules.kinds, world.observed, world.baseline, world.keeps))

    def plan(self, sight: Sight, stage: Stage | None = None) -> Plan:
        """To the stage, or to that of the spec; asks outside what the checks on the way there want to know."""
        spec = self.move.spec
        target = stage or spec.target
        world = replace(sight.world, outside=self._seen_outside(sight, target))
        return make_plan(spec, target, self.rules, world, digest=self.digest, values=sight.values)

    def plan_back(self, sight: Sight, written: Sequence[Written]) -> Plan:
        """To what stood before these writes."""
        return plan_rollback(self.move.spec, written, self.rules, sight.world, sight.values, digest=self.digest)

    def look_and_note(self, journal: Journal) -> Sight:
        """Read everything, and write down what each name server serves: the waits for caches count from there.

        Raises:
            ObserveError: a server, file, zone or name server could not be read.

        """
        servers = self.opened[Place.DNS].name_servers
        if servers:
            journal.see(servers.served(self._watched()), self.move.clock.now())
        return self.look(journal)

    def hands(self, journal: Journal, stop: Callable[[], bool], turns: Turns = ALONE) -> Hands:
        """All that a run works with."""
        mail = mail_stores(self.move, journal.histories, Carrier(self.events, stop, turns))
        return Hands(
            stores={**self.stores, **mail},
            kinds=self.rules.kinds,
            journal=journal,
            clock=self.move.clock,
            events=self.events,
            name_servers=self.opened[Place.DNS].name_servers,
            watched=self._watched(),
            stop=stop,
        )

    def _seen_outside(self, sight: Sight, target: Stage) -> Outside:
        """Nothing, and nobody is contacted, where the spec has no ``probe`` section."""
        if self.move.spec.probe is None:
            return NOTHING
        way = {target, *(layer.stage for layer in layers(sight.values, sight.world.observed, target))}
        probes = [probe for probe in discover("reconciler.probes", Probe).values() if probe.stages & way]
        base = self.move.path.absolute().parent
        surroundings = Surroundings(
            now=sight.world.now,
            observed=sight.world.observed,
            zones={stage: sight.zone_at(stage) for stage in way},
            claimed=self._watched(),
            base=base,
            secrets=ReferencedSecrets(base),
        )
        facts = (probe.gather(self.move.spec, surroundings) for probe in probes)
        return Outside(tuple(fact for fact in facts if fact is not None))

    @property
    def _zone_machine(self) -> str:
        return self.opened[Place.DNS].machine

    def _watched(self) -> frozenset[str]:
        return claimed_names(self.move.spec, self.rules.kinds.records)


@contextmanager
def open_session(path: Path, clock: Clock, events: Events = NOBODY) -> Iterator[Session]:
    """Load the spec and open the products that it names; closes them at the end.

    Raises:
        SpecError: the spec is wrong; nothing was contacted.
        ObserveError: a product could not be opened.

    """
    with session_of(Move.load(path, clock), events) as session:
        yield session


@contextmanager
def session_of(move: Move, events: Events = NOBODY) -> Iterator[Session]:
    """Open the products that a spec names; closes them at the end.

    Raises:
        ObserveError: a product could not be opened.

    """
    rules = Rules(kinds(), discover("reconciler.checks", Check))
    with ExitStack() as at_the_end:
        opened = open_products(move, events)
        for product in opened.values():
            at_the_end.callback(product.close)
        yield Session(move, move.digest(), rules, opened, events)


def open_products(move: Move, events: Events = NOBODY) -> dict[Place, Opened]:
    """The three products; the new server's accounts may be given the password hashes of the old one's."""
    spec, base = move.spec, move.folder
    generated = Path(spec.generated_passwords) if spec.generated_passwords else None

    def product(family: Products, place: Place, section: Server | Dns, secrets: ReferencedSecrets) -> Opened:
        found = family[section.backend]
        options = found.options.model_validate(section.options)
        _log.info("%s: %s", place, section.backend)
        return found.open(options, Context(place, spec.domain, base, secrets, move.clock, events))

    plain = ReferencedSecrets(base)
    old = product(SERVERS, Place.OLD, spec.old, plain)
    secrets = ReferencedSecrets(base, generated=generated, password_hash=old.password_hash)
    return {
        Place.OLD: old,
        Place.NEW: product(SERVERS, Place.NEW, spec.new, secrets),
        Place.DNS: product(ZONES, Place.DNS, spec.dns, plain),
    }
