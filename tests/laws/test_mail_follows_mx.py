"""Law 6, mail follows MX: whatever way a move takes, all mail ends where the MX of its stage points.

Letters come at every moment to any server that some cache still sends them to, while the move goes forth and back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.engine.planner import World
from reconciler.model.address import Address, Place
from reconciler.model.plan import Plan
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.spec.copy import MailCopy
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.spec import Spec
from tests.laws.strategies import ENDS, moved, specs, worlds
from tests.support.examples import examples
from tests.support.move import Move
from tests.support.post import BACK

REVERSIBLE = tuple(stage for stage in Stage if stage < Stage.DECOMMISSION)
WALKS = st.lists(st.sampled_from(REVERSIBLE), min_size=1, max_size=5)
LONGEST_TTL = timedelta(days=1, seconds=1)  # of those that are drawn
laws = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}],  # it would take minutes
)


class MailMove(Move):
    """A move in memory with letters under way; ``chance`` decides which cache a sender asks."""

    def __init__(self, spec: Spec, *start: Resource, chance: Random) -> None:
        super().__init__(spec.model_copy(update={"mail_copy": spec.mail_copy or MailCopy.model_validate(ENDS)}), *start)
        self.chance = chance
        self.told: list[tuple[datetime, RRset]] = []

    def world(self) -> World:
        self.letters_come()
        return super().world()

    def carry_out(self, plan: Plan) -> Any:
        self.letters_come()
        outcome = super().carry_out(plan)
        self.letters_come()
        return outcome

    def letters_come(self) -> None:
        """One to each mailbox of the servers that somebody may be told of now."""
        for place in self.named():
            for mailbox in self.known_at(place):
                if self.chance.random() < 0.7:
                    assert Address(place, "mailbox", mailbox.address) in self.state(), "mail for nobody would bounce"
                    self.post.deliver(place, mailbox.address)

    def known_at(self, place: Place) -> Sequence[Mailbox]:
        """Accounts that are new were never on the old server."""
        return self.spec.mailboxes if place is Place.NEW else self.spec.with_old_mail

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
        known = {mailbox.address for mailbox in self.known_at(place)}
        lacking = {name: letters - here.get(name, set()) for name, letters in there.items() if name in known}
        return {name: lost for name, lost in lacking.items() if lost}


def a_move(data: st.DataObject) -> MailMove:
    spec = data.draw(specs())
    chance = Random(data.draw(st.integers(0, 2**16)))
    return MailMove(spec, *data.draw(worlds(spec)), chance=chance)


def patiently(move: MailMove, stage: Stage) -> None:
    """Until caches have forgotten everything else, so that nothing more can come late."""
    if stage >= Stage.HARDEN:
        move.spec = moved(move.spec)
    assert move.reach(stage).steps == ()
    move.clock.advance(LONGEST_TTL)
    assert move.reach(stage).steps == ()


def confirm(move: MailMove, *, copied_back: bool) -> None:
    confirmed = move.spec.confirm.model_copy(update={"copied_back": copied_back})
    move.spec = move.spec.model_copy(update={"confirm": confirmed})


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
    assert move.post.letters or not move.spec.with_old_mail


@laws
@given(st.data(), WALKS)
def test_a_rollback_brings_all_mail_back_before_it_takes_an_account_away(data, walk) -> None:
    move = a_move(data)
    confirm(move, copied_back=False)
    for stage in walk:
        if stage >= Stage.HARDEN:
            move.spec = moved(move.spec)
        move.reach(stage)
    if left := move.roll_back().steps:  # mail of an account that the old server never had: a person must say so
        assert not all(mailbox.old_mail for mailbox in move.spec.mailboxes)
        assert {step.verdict.status for step in left} == {Status.BLOCKED}
        confirm(move, copied_back=True)
        assert move.roll_back().steps == ()
    assert move.named() == {Place.OLD}
    assert move.lacking(Place.OLD) == {}
