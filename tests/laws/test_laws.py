"""The laws of the house, for random specs in random worlds. A new kind is held to them without a line written here."""

import contextlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.engine.desire import desire
from reconciler.engine.order import order
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from tests.laws.strategies import FOREIGN_TEXTS, foreign, moved, specs, worlds
from tests.support.examples import examples
from tests.support.move import KINDS, NO_CHECKS, Move

REVERSIBLE = tuple(stage for stage in Stage if stage < Stage.DECOMMISSION)
WALKS = st.lists(st.sampled_from(REVERSIBLE), min_size=1, max_size=5)
laws = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_move(data: st.DataObject, **options: Any) -> Move:
    spec = data.draw(specs())
    return Move(spec, *data.draw(worlds(spec)), *foreign(spec), **options)


class Crash(BaseException):
    """The power fails: nothing of ours is there to catch it."""


class Crashing:
    """A store in front of another one that fails at the n-th write of all, before or after it is done."""

    def __init__(self, store, fuse: list[int], *, after: bool) -> None:
        self.batch = 1
        self._store = store
        self._fuse = fuse
        self._after = after

    def read(self, names=None):
        return self._store.read(names)

    def write(self, changes) -> None:
        self._fuse[0] -= 1
        if self._fuse[0] == 0 and not self._after:
            raise Crash
        self._store.write(changes)
        if self._fuse[0] == 0:
            raise Crash


@laws
@given(st.data(), st.lists(st.sampled_from(Stage), min_size=1, max_size=4))
def test_after_apply_planning_again_gives_nothing_to_do(data, walk) -> None:
    move = a_move(data, checks=NO_CHECKS)
    for stage in walk:
        move.apply(stage)
        assert move.plan(stage).steps == ()


@laws
@given(st.data())
def test_the_way_through_all_stages_with_all_checks_settles_at_each(data) -> None:
    move = a_move(data)
    for stage in (Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER):
        assert move.reach(stage).steps == (), stage
    move.spec = moved(move.spec)
    for stage in (Stage.HARDEN, Stage.DECOMMISSION):
        assert move.reach(stage).steps == (), stage


@laws
@given(st.data(), WALKS)
def test_what_is_not_ours_is_not_touched(data, walk) -> None:
    move = a_move(data, checks=NO_CHECKS)
    start = move.state()
    texts = _texts(start)
    strangers = foreign(move.spec)
    for stage in walk:
        move.apply(stage)
        state = move.state()
        assert [state.get(r.address) for r in strangers] == list(strangers)
        assert _texts(state) == texts


@laws
@given(st.data(), WALKS)
def test_stepping_back_to_prepare_restores_the_zone(data, walk) -> None:
    move = a_move(data, checks=NO_CHECKS)
    start = _zone(move.state())
    for stage in walk:
        move.apply(stage)
    move.apply(Stage.PREPARE)
    assert _zone(move.state()) == start


@laws
@given(st.data(), WALKS)
def test_rolling_everything_back_restores_the_world(data, walk) -> None:
    move = a_move(data)
    start = move.state()
    for stage in walk:
        if stage >= Stage.HARDEN:
            move.spec = moved(move.spec)
        move.reach(stage)
    assert move.roll_back().steps == ()
    assert _without_mail_that_came(move.state(), start) == start


@laws
@given(st.data(), WALKS)
def test_a_rollback_never_sends_mail_forward_again(data, walk) -> None:
    move = a_move(data)
    for stage in walk:
        move.reach(stage)
    begun = len(move.journal.written)
    move.roll_back()
    for _, step, _ in move.journal.written[begun:]:
        if step.change.address.name.endswith(" MX"):
            new = frozenset(map(str, move.spec.new.mx))
            before, after = step.change.before, step.change.after
            assert isinstance(after, RRset)
            assert after.rdata != new or (isinstance(before, RRset) and before.rdata == new)


@laws
@given(st.data(), st.sampled_from(Stage), st.integers(1, 12), st.booleans())
def test_killed_at_any_write_planning_and_applying_again_reaches_the_same_end(data, stage, fuse, after) -> None:
    spec = data.draw(specs())
    world = (*data.draw(worlds(spec)), *foreign(spec))
    whole, killed = (Move(spec, *world, checks=NO_CHECKS) for _ in range(2))
    whole.apply(stage)
    _apply_until_killed(killed, stage, fuse, after=after)
    killed.apply(stage)
    assert killed.state() == whole.state()


@laws
@given(st.data(), st.sampled_from(REVERSIBLE), st.integers(1, 12), st.booleans())
def test_killed_at_any_write_rolling_back_restores_the_world(data, stage, fuse, after) -> None:
    move = a_move(data, checks=NO_CHECKS)
    start = move.state()
    _apply_until_killed(move, stage, fuse, after=after)
    assert move.roll_back().steps == ()
    assert _without_mail_that_came(move.state(), start) == start


@laws
@given(st.data(), st.sampled_from(REVERSIBLE))
def test_a_plan_carried_out_a_second_time_finds_everything_done(data, stage) -> None:
    move = a_move(data, checks=NO_CHECKS)
    plan = move.plan(stage)
    once = {step.change.address for step in plan.steps}
    if len(once) < len(plan.steps):  # an address that passes two values cannot be told from a stale one
        return
    first = move.carry_out(plan)
    state = move.state()
    second = move.carry_out(plan)
    assert second.written == ()
    assert second.already == first.written
    assert move.state() == state


@laws
@given(st.data())
def test_what_caches_may_hold_from_the_stage_before_works_in_this_one(data) -> None:
    move = a_move(data)
    values = desire(move.spec, KINDS, move.state())
    pairs = [(a, b) for a in REVERSIBLE for b in REVERSIBLE if abs(a - b) == 1]
    for before, now in pairs:
        exchanges = _at(values, before, f"{move.spec.owner} MX").rdata
        place = Place.OLD if exchanges == frozenset(map(str, move.spec.old.mx)) else Place.NEW
        for mailbox in move.spec.mailboxes:
            if place is Place.NEW:
                assert values[Address(Place.NEW, "mailbox", mailbox.address)][now - 1] is not None
            elif mailbox.old_mail and (address := Address(Place.OLD, "mailbox", mailbox.address)) in values:
                assert values[address][now - 1] is not None
        for address, value in values.items():
            published = value[before - 1]
            if "_domainkey" in address.name and published and min(before, now) > Stage.PREPARE:
                assert value[now - 1] == published


@laws
@given(st.data(), WALKS)
def test_no_rrset_passes_through_an_empty_state(data, walk) -> None:
    move = a_move(data, checks=NO_CHECKS)
    for stage in walk:
        steps = [s for s in move.plan(stage).steps if s.change.address.place is Place.DNS]
        removed = {s.change.address for s in steps if s.change.after is None}
        made_again = {s.change.address for s in steps if s.change.before is None}
        assert not removed & made_again
        move.apply(stage)


@laws
@given(st.data(), st.sampled_from(Stage), st.randoms(use_true_random=False))
def test_the_order_of_steps_does_not_depend_on_the_order_of_what_is_read(data, stage, random) -> None:
    move = a_move(data, checks=NO_CHECKS)
    changes = [step.change for step in move.plan(stage).steps if step.stage is Stage.PREPARE]
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert order(shuffled) == order(changes)


@laws
@given(specs(), st.booleans())
def test_a_kind_changes_what_it_desires_only_where_it_says_so(spec, all_moved) -> None:
    spec = moved(spec) if all_moved else spec
    for kind in KINDS.servers:
        for before, stage in pairwise(Stage):
            if stage not in kind.changes_at:
                assert list(kind.desired(spec, before)) == list(kind.desired(spec, stage)), kind.type


def _apply_until_killed(move: Move, stage: Stage, fuse: int, *, after: bool) -> None:
    left = [fuse]
    whole = dict(move.stores)
    move.stores = {key: Crashing(store, left, after=after) for key, store in whole.items()}
    with contextlib.suppress(Crash):
        move.apply(stage)
    move.stores = whole


def _zone(state: dict[Address, Resource]) -> dict[Address, Resource]:
    return {address: r for address, r in state.items() if address.place is Place.DNS}


def _without_mail_that_came(state: dict[Address, Resource], start: dict[Address, Resource]) -> dict[Address, Resource]:
    """Nobody deletes a message (law 7): what was copied stays, also where all else is taken back."""
    kinds = {StoredMail.kind, ReturnedMail.kind}
    return {address: r for address, r in state.items() if address in start or address.kind not in kinds}


def _texts(state: dict[Address, Resource]) -> Sequence[str]:
    return sorted(t for r in _zone(state).values() if isinstance(r, RRset) for t in r.rdata if t in FOREIGN_TEXTS)


def _at(values, stage: Stage, name: str) -> RRset:
    found = values[Address(Place.DNS, "rrset", name)][stage - 1]
    assert isinstance(found, RRset)
    return found
