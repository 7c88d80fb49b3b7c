"""Law 9, no account goes while mail may come for it: as other hands turn the MX and hosts, and a journal is lost.

What caches may hold is told here from all that ever stood in the zone, not from what our looks have noted.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.analysis.effects import takes_address_away
from reconciler.errors import ReconcilerError
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.plan import Intent
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.spec.spec import Spec
from tests.laws.strategies import foreign, moved, specs, worlds
from tests.support.changes import mailbox
from tests.support.examples import examples
from tests.support.move import CHECKS, MemoryJournal, Move
from tests.support.specs import spec as spec_of

laws = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TAKES_MAIL = frozenset({"domain", "mailbox", "alias", "catch_all"})
MX = Address(Place.DNS, "rrset", "example.org. MX")
HOST = Address(Place.DNS, "rrset", "imap.example.org. A")
ADDRESS = {Place.OLD: "192.0.2.10", Place.NEW: "198.51.100.7"}
SHARED = "10 imap.example.org."
ACTIONS = st.sampled_from(["apply", "back", "mx", "host", "days", "on", "home", "mx", "lost journal", "crash"])


@dataclass
class Witness:
    """Every value that the MX and the host ever had, each until when a cache may hold it (None: it stands)."""

    move: Move
    values: dict[Address, list[tuple[RRset, datetime | None]]] = field(default_factory=dict)
    unnoted: set[tuple[RRset, datetime]] = field(default_factory=set)

    def look(self) -> None:
        now, state = self.move.clock.now(), self.move.state()
        for address in MX, HOST:
            found = state.get(address)
            known = [
                (value, now + timedelta(seconds=value.ttl) if until is None and value != found else until)
                for value, until in self.values.get(address, [])
            ]
            if isinstance(found, RRset) and (found, None) not in known:
                known.append((found, None))
            self.values[address] = known

    def forget(self) -> None:
        """A journal is lost: what had been replaced by then was so before any account that the next one can remove."""
        self.unnoted |= {(value, until) for known in self.values.values() for value, until in known if until}

    def leads_to(self, place: Place) -> bool:
        now = self.move.clock.now()
        held = {
            each: [
                value
                for value, until in self.values[each]
                if until is None or (until > now and not (place is Place.NEW and (value, until) in self.unnoted))
            ]
            for each in (MX, HOST)
        }
        exchanges, addresses = ({text.split()[-1] for value in held[e] for text in value.rdata} for e in (MX, HOST))
        sides = {Place.OLD: self.move.spec.old, Place.NEW: self.move.spec.new}
        named = {f"{mx.exchange}." for mx in sides[place].mx} - {"imap.example.org."}
        by_address = "imap.example.org." in exchanges and ADDRESS[place] in addresses
        return bool(exchanges & named) or by_address


class Crash(BaseException):
    """The power fails."""


class Watched:
    """A store that tells a witness of what it takes away, and fails when it is meant to."""

    def __init__(self, store: Any, place: Place, watch: "Watching") -> None:
        self.batch = store.batch
        self._store, self._place, self._watch = store, place, watch

    def read(self, names=None):
        return self._store.read(names)

    def write(self, changes) -> None:
        gone = [c for c in changes if c.after is None and c.address.kind in TAKES_MAIL]
        if gone:
            event(f"addresses go from the {self._place} server")
            assert not self._watch.witness.leads_to(self._place), gone
        self._watch.burn()
        self._store.write(changes)
        self._watch.witness.look()


class Watching(Move):
    def __init__(self, spec: Spec, *start: Resource) -> None:
        super().__init__(spec, *start, checks=CHECKS)
        self.witness = Witness(self)
        self.fuse = 0
        self.witness.look()
        self.stores = {
            (place, kind): Watched(store, place, self) if kind in TAKES_MAIL | {"rrset"} else store
            for (place, kind), store in self.stores.items()
        }

    def burn(self) -> None:
        self.fuse -= 1
        if self.fuse == 0:
            raise Crash

    def note(self) -> None:
        """Look at the name servers, as every run does when it begins."""
        watched = self.hands().watched
        self.journal.see(self.name_servers.served(watched), self.clock.now())

    def act(self, data: st.DataObject, action: str, target: Stage) -> None:
        match action:
            case "apply":
                self._run(Intent.APPLY, target)
            case "back":
                self._run(Intent.ROLLBACK, target)
            case "on":
                self._patiently(lambda: self.reach(target))
            case "home":
                self._patiently(self.roll_back)
            case "crash":
                self.fuse = data.draw(st.integers(1, 6), "writes until the power fails")
                self._run(data.draw(st.sampled_from(Intent)), target)
                self.fuse = 0
            case "days":
                self.clock.advance(timedelta(hours=data.draw(st.sampled_from([1, 12, 24, 24 * 9]), "hours")))
            case "lost journal":
                self.journal = MemoryJournal()
                self.witness.forget()
            case "mx":
                exchanges = ["10 mail.old.example.", "10 mail.new.example.", "20 b.old.example.", SHARED]
                self._turn(data, MX, data.draw(st.lists(st.sampled_from(exchanges), min_size=1, unique=True)))
            case _:
                self._turn(data, HOST, [data.draw(st.sampled_from(["192.0.2.10", "198.51.100.7"]))])

    def _patiently(self, act: Callable[[], object]) -> None:
        self.note()
        with contextlib.suppress(ReconcilerError):
            act()

    def _run(self, intent: Intent, target: Stage) -> None:
        self.note()
        with contextlib.suppress(ReconcilerError, Crash):
            plan = self.plan_back() if intent is Intent.ROLLBACK else self.plan(target)
            self.carry_out(plan)

    def _turn(self, data: st.DataObject, address: Address, rdata: list[str]) -> None:
        """By another hand; looked at before and after, since nobody can know what stood in between."""
        self.note()
        store = self.stores[address.place, address.kind]
        standing = self.state().get(address)
        owner, _, rdtype = address.name.partition(" ")
        turned = RRset.of(owner, rdtype, data.draw(st.sampled_from([60, 3600, 86400]), "TTL"), *rdata)
        if standing != turned:
            store.write([Change(standing, turned)])
        self.note()


@laws
@given(st.data(), st.lists(ACTIONS, min_size=3, max_size=14))
def test_no_address_leaves_a_server_that_mail_may_still_come_to(data, actions) -> None:
    spec = moved(data.draw(specs()))
    spec = spec.model_copy(update={"decommission": spec.decommission.model_copy(update={"empty_old": True})})
    if spec.hosts and data.draw(st.booleans(), "both servers have one name"):
        exchanges = tuple(type(spec.new.mx[0]).model_validate(SHARED.removesuffix(".")) for _ in range(1))
        sides = {side: getattr(spec, side).model_copy(update={"mx": exchanges}) for side in ("old", "new")}
        spec = spec.model_copy(update=sides)
    move = Watching(spec, *data.draw(worlds(spec)), *foreign(spec))
    if data.draw(st.booleans(), "far already"):
        move.reach(data.draw(st.sampled_from([Stage.CUTOVER, Stage.HARDEN]), "reached"))
    for action in actions:
        move.act(data, action, data.draw(st.sampled_from(Stage), "stage"))


@laws
@given(st.data())
def test_who_waits_for_the_caches_is_back_at_the_start(data) -> None:
    """Law 5, with an MX that somebody else has turned as the spec wants it: it is turned back, then the accounts go."""
    spec = data.draw(specs()).model_copy(update={"mail_copy": None})
    move = Watching(spec, *data.draw(worlds(spec)), *foreign(spec))
    start = move.state()
    move.reach(Stage.PREPARE)
    mx = start[MX]
    assert isinstance(mx, RRset)
    move.note()
    new = RRset.of("example.org", "MX", mx.ttl, *map(str, spec.new.mx))
    move.stores[Place.DNS, "rrset"].write([Change(mx, new)])
    changes = [step.change for _, step, _ in move.journal.written]
    made = any(change.before is None and change.address.kind in TAKES_MAIL for change in changes)
    assert move.roll_back().steps == ()
    assert move.state() == (start if made else {**start, MX: new})


@pytest.mark.parametrize("reached", [Stage.PREPARE, Stage.OVERLAP])
def test_an_mx_that_named_the_new_server_before_the_first_run_keeps_its_accounts_when_it_is_put_back(reached) -> None:
    """Going back ends where it began: with mail for accounts that the new server did not have then."""
    spec = spec_of(stage="harden", mailboxes=[{"address": "ann@example.org"}], confirm={"copied_back": True})
    named = RRset.of("example.org", "MX", 3600, *map(str, spec.new.mx))
    move = Watching(spec, mailbox(Place.OLD, password="{CRYPT}$6$x"), named)
    move.note()
    move.reach(reached)
    move.note()
    held = move.roll_back().steps
    assert {step.change.address.kind for step in held} >= {"mailbox"}
    assert all(step.verdict.status is Status.BLOCKED and takes_address_away(step.change) for step in held)
    assert all("names mx.new.example." in step.verdict.why for step in held)
    assert move.state()[MX] == named
