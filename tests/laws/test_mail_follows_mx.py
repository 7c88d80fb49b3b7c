"""Law 6, mail follows MX: whatever way a move takes, all mail ends where the MX of its stage points.

Letters come at every moment to any server that some cache still sends them to, while the move goes forth and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.analysis.mail_standing import Delivery, returned, stored
from reconciler.engine.desire import desire
from reconciler.engine.planner import World
from reconciler.engine.rollback import plan_rollback
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.plan import Plan
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.copy import MailCopy
from reconciler.spec.spec import Spec
from tests.laws.strategies import moved, specs, worlds
from tests.support.move import KINDS, Move

REVERSIBLE = tuple(stage for stage in Stage if stage < Stage.DECOMMISSION)
WALKS = st.lists(st.sampled_from(REVERSIBLE), min_size=1, max_size=5)
ENDS = {"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}}
BACK = {Place.OLD: Place.NEW, Place.NEW: Place.OLD}
laws = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}],  # it would take minutes
)


@dataclass
class Post:
    """What lies in each mailbox of each server, and what the copying of it is remembered by."""

    lies: dict[Place, dict[str, set[int]]] = field(default_factory=lambda: {Place.OLD: {}, Place.NEW: {}})
    passes: dict[Place, dict[str, LastPass]] = field(default_factory=lambda: {Place.OLD: {}, Place.NEW: {}})
    letters: int = 0

    def deliver(self, place: Place, mailbox: str) -> None:
        self.letters += 1
        self.lies[place].setdefault(mailbox, set()).add(self.letters)

    def copy(self, to: Place, mailbox: str, now: datetime, *, judge: bool) -> None:
        source, target = (self.lies[place].setdefault(mailbox, set()) for place in (BACK[to], to))
        last = self.passes[to].get(mailbox, LastPass())
        self.passes[to][mailbox] = LastPass(
            copied=now,
            judged=now if judge else last.judged,
            grade=Grade.PERFECT if judge else last.grade,
            brought=now if source - target else last.brought,
        )
        target |= source


class MailStore:
    """One kind of mail in one place; ``look`` reads it as the tool does."""

    batch = 100

    def __init__(self, move: "MailMove", place: Place, look: Any) -> None:
        self.move, self.place, self.look = move, place, look

    def read(self, names: Any = None) -> list[Resource]:
        delivery = Delivery.of(self.move.spec, self.move.journal.histories())
        return list(self.look(self.move.spec, self.move.post.passes[self.place], delivery))

    def write(self, changes: Sequence[Change]) -> None:
        for change in changes:
            assert isinstance(change.after, ReturnedMail | StoredMail)
            whole = isinstance(change.after, ReturnedMail) or change.after.complete
            self.move.post.copy(self.place, change.address.name, self.move.clock.now(), judge=whole)


class MailMove(Move):
    """A move in memory with letters under way; ``chance`` decides which cache a sender asks."""

    def __init__(self, spec: Spec, *start: Resource, chance: Random) -> None:
        super().__init__(spec.model_copy(update={"mail_copy": MailCopy.model_validate(ENDS)}), *start)
        self.post, self.chance = Post(), chance
        self.told: list[tuple[datetime, RRset]] = []
        self.stores[Place.NEW, StoredMail.kind] = MailStore(
            self, Place.NEW, lambda spec, passes, delivery: stored(spec, passes, delivery, self.clock.now())
        )
        self.stores[Place.OLD, ReturnedMail.kind] = MailStore(self, Place.OLD, returned)

    def world(self) -> World:
        self.letters_come()
        self.journal.see(self.name_servers.served(self.hands().watched), self.clock.now())
        passes = self.post.passes[Place.NEW]
        found = super().world()
        return World(found.now, found.observed, found.baseline, found.histories, copies=passes)

    def carry_out(self, plan: Plan) -> Any:
        self.letters_come()
        outcome = super().carry_out(plan)
        self.letters_come()
        return outcome

    def rollback(self) -> Plan:
        world = self.world()
        values = desire(self.spec.on(world.now.date()), KINDS, world.observed, world.baseline)
        return plan_rollback(self.spec, self.journal.to_roll_back(), self.rules, world, values)

    def roll_back(self) -> Plan:
        plan = self.rollback()
        for _ in range(30):
            if not plan.steps:
                break
            self.carry_out(plan)
            plan = self.rollback()
            if plan.next_time and not plan.runnable:
                self.clock.advance(plan.next_time - self.clock.now() + timedelta(seconds=1))
        return plan

    def letters_come(self) -> None:
        """One to each mailbox of the servers that somebody may be told of now."""
        for place in self.named():
            for mailbox in self.spec.mailboxes:
                if self.chance.random() < 0.7:
                    assert Address(place, "mailbox", mailbox.address) in self.state(), "mail for nobody would bounce"
                    self.post.deliver(place, mailbox.address)

    def named(self) -> set[Place]:
        """By the zone itself or by a cache that asked just before a value was replaced."""
        now = self.clock.now()
        mx = self.state()[Address(Place.DNS, RRset.kind, f"{self.spec.domain}. MX")]
        assert isinstance(mx, RRset)
        if not self.told or self.told[-1][1] != mx:
            self.told.append((now, mx))
        ends = [at for at, _ in self.told[1:]] + [now]
        alive = [
            value
            for (_, value), end in zip(self.told, ends, strict=True)
            if value is mx or now < end + timedelta(seconds=value.ttl)
        ]
        new = frozenset(map(str, self.spec.new.mx))
        return {Place.NEW if value.rdata == new else Place.OLD for value in alive}

    def lacking(self, place: Place) -> dict[str, set[int]]:
        """What lies on the other server only."""
        here, there = self.post.lies[place], self.post.lies[BACK[place]]
        return {name: lost for name, letters in there.items() if (lost := letters - here.get(name, set()))}


def a_move(data: st.DataObject) -> MailMove:
    spec = data.draw(specs())
    chance = Random(data.draw(st.integers(0, 2**16)))
    return MailMove(spec, *data.draw(worlds(spec)), chance=chance)


def patiently(move: MailMove, stage: Stage) -> None:
    """Until caches have forgotten everything else, so that nothing more can come late."""
    if stage >= Stage.HARDEN:
        move.spec = moved(move.spec)
    assert move.reach(stage).steps == ()
    move.clock.advance(timedelta(hours=1))
    assert move.reach(stage).steps == ()


@laws
@given(st.data(), WALKS)
def test_all_mail_ends_where_the_mx_of_the_stage_points(data, walk) -> None:
    move = a_move(data)
    for stage in walk:
        patiently(move, stage)
    (place,) = move.named()
    assert place is (Place.NEW if walk[-1] >= Stage.CUTOVER else Place.OLD)
    if place is Place.NEW or any(stage >= Stage.CUTOVER for stage in walk):
        assert move.lacking(place) == {}
    assert move.post.letters


@laws
@given(st.data(), WALKS)
def test_a_rollback_brings_all_mail_back_before_it_takes_an_account_away(data, walk) -> None:
    move = a_move(data)
    move.spec = move.spec.model_copy(update={"confirm": move.spec.confirm.model_copy(update={"copied_back": False})})
    for stage in walk:
        if stage >= Stage.HARDEN:
            move.spec = moved(move.spec)
        move.reach(stage)
    assert move.roll_back().steps == ()
    assert move.named() == {Place.OLD}
    assert move.lacking(Place.OLD) == {}
