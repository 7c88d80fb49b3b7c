"""Law 10, we remove what we made: what a journal that is at hand has a row for, with exactly this content.

Other hands make, change and remove things between our looks, the power fails, and a journal is lost. What is told here
to be ours is what our stores were given since the journal began.
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.plan import Intent
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec
from tests.laws.hands import meddle
from tests.laws.strategies import OTHER_RULE, foreign, moved, specs, worlds
from tests.support.examples import examples
from tests.support.move import KINDS, NO_CHECKS, MemoryJournal, Move
from tests.support.post import MailStore

laws = settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
THEIR_RULE = "# rule:[Lists]"
ACTIONS = st.sampled_from(["on", "home", "hand", "own", "lost journal", "crash", "days"])


class Crash(BaseException):
    """The power fails."""


class Watched:
    """A store that holds what is taken away against what it was given."""

    def __init__(self, store: Any, watch: "Watching") -> None:
        self.batch = store.batch
        self._store, self._watch = store, watch

    def read(self, names=None):
        return self._store.read(names)

    def write(self, changes) -> None:
        for change in changes:
            self._watch.judge(change)
        for change in changes:
            self._watch.note(change)  # also what the power cuts: nobody can tell it from what was written
        self._watch.burn()
        self._store.write(changes)


class Watching(Move):
    def __init__(self, spec: Spec, *start: Resource) -> None:
        super().__init__(spec, *start, checks=NO_CHECKS)
        self.made: dict[Address, list[Resource]] = {}
        self.fuse = 0
        self.plain = dict(self.stores)
        self.stores = {
            key: store if isinstance(store, MailStore) or key[1] in {"mail", "returned_mail"} else Watched(store, self)
            for key, store in self.stores.items()
        }

    def burn(self) -> None:
        self.fuse -= 1
        if self.fuse == 0:
            raise Crash

    def note(self, change: Change) -> None:
        if change.after is not None:
            self.made.setdefault(change.address, []).append(change.after)

    def judge(self, change: Change) -> None:
        gone = list(self._taken(change))
        if gone:
            event(f"{change.address.place} {change.address.kind}: something goes")
        for what in gone:
            assert self._is_ours(change.address, what), (change, what)

    @staticmethod
    def _taken(change: Change) -> Iterator[object]:
        """What this takes away: a resource, or texts of an RRset in whose place none of their sort comes."""
        before, after = change.before, change.after
        if isinstance(before, RRset):
            if before.rdtype != "TXT":
                if after is None:
                    yield before.rdata
                return
            left = after.rdata if isinstance(after, RRset) else frozenset[str]()
            sorts = {_sort(text) for text in left}
            yield from (text for text in before.rdata - left if _sort(text) not in sorts or _sort(text) == "text")
        elif isinstance(before, SieveScript):
            script = after.content if isinstance(after, SieveScript) else ""
            if THEIR_RULE in before.content and THEIR_RULE not in script:
                yield before
        elif before is not None and after is None:
            yield before

    def _is_ours(self, address: Address, what: object) -> bool:
        made = self.made.get(address, [])
        if address.place is Place.OLD:
            return self.spec.decommission.empty_old
        if isinstance(what, str):
            declared = {f"{selector}._domainkey.{self.spec.owner} TXT" for selector in self.spec.old.dkim}
            return address.name in declared or any(isinstance(each, RRset) and what in each.rdata for each in made)
        if isinstance(what, frozenset):
            return any(isinstance(each, RRset) and what <= each.rdata for each in made)
        assert isinstance(what, Resource)
        return any(each == what or KINDS.settled(each, what) for each in made)

    def act(self, data: st.DataObject, action: str, target: Stage) -> None:
        match action:
            case "on":
                self._run(Intent.APPLY, target)
            case "home":
                self._run(Intent.ROLLBACK, target)
            case "crash":
                self.fuse = data.draw(st.integers(1, 8), "writes until the power fails")
                self._run(data.draw(st.sampled_from(Intent)), target)
                self.fuse = 0
            case "hand":
                watched, self.stores = self.stores, self.plain
                meddle(data, self, self.plan(target).steps)
                self.stores = watched
            case "own":
                self._put(data)
            case "lost journal":
                self.journal, self.made = MemoryJournal(), {}
            case _:
                self.clock.advance(timedelta(hours=data.draw(st.sampled_from([1, 30]), "hours")))

    def _run(self, intent: Intent, target: Stage) -> None:
        with contextlib.suppress(ReconcilerError, Crash):
            for _ in range(3):
                self.carry_out(self.plan_back() if intent is Intent.ROLLBACK else self.plan(target))

    def _put(self, data: st.DataObject) -> None:
        """Somebody makes, or changes, just what the spec names, in a way of their own."""
        box = data.draw(st.sampled_from(self.spec.mailboxes)).address
        alias = Alias(
            place=Place.NEW, name=next(iter(self.spec.aliases), box), targets=frozenset({"x@elsewhere.example"})
        )
        script = SieveScript(place=Place.NEW, name=box, script="mine", content=OTHER_RULE)
        theirs = data.draw(st.sampled_from([Mailbox(place=Place.NEW, name=box, display_name="Theirs"), alias, script]))
        store = self.plain[theirs.place, theirs.kind]
        standing = next((each for each in store.read() if each.address == theirs.address), None)
        if standing != theirs:
            store.write([Change(standing, theirs)])


def _sort(text: str) -> str:
    """Of which there is one at a name, so that another one comes in its place."""
    return next((sort for sort in ("v=spf1", "v=DMARC1", "v=DKIM1") if text.lower().startswith(sort.lower())), "text")


@laws
@given(st.data(), st.lists(ACTIONS, min_size=3, max_size=12))
def test_nothing_is_removed_that_we_have_not_made(data, actions) -> None:
    spec = data.draw(specs())
    if data.draw(st.booleans(), "all have moved"):
        spec = moved(spec)
    spec = spec.model_copy(update={"mail_copy": None})
    move = Watching(spec, *data.draw(worlds(spec)), *foreign(spec))
    for action in actions:
        move.act(data, action, data.draw(st.sampled_from(Stage), "stage"))


@laws
@given(st.data(), st.sampled_from(Stage))
def test_what_others_have_changed_since_we_made_it_stays(data, target) -> None:
    spec = data.draw(specs()).model_copy(update={"mail_copy": None})
    move = Watching(spec, *data.draw(worlds(spec)), *foreign(spec))
    move.act(data, "on", target)
    for action in data.draw(st.lists(st.sampled_from(["own", "hand"]), min_size=1, max_size=3), label="meanwhile"):
        move.act(data, action, target)
    move.act(data, "home", target)
