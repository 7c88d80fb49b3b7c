"""The mail of a move in memory: what lies in which mailbox, and stores of it that copy as passes do."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.analysis.mail_standing import Delivery, returned, stored
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.resource import Resource
from reconciler.model.sighting import History
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.spec import Spec
from tests.support.clock import FakeClock

BACK = {Place.OLD: Place.NEW, Place.NEW: Place.OLD}


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


@dataclass
class MailStore:
    """One kind of mail in one place, read as the tool reads it: from the passes and the TTL clock."""

    place: Place
    post: Post
    clock: FakeClock
    spec: Callable[[], Spec]
    histories: Callable[[], dict[str, History]]
    batch: int = 100

    def read(self, names: Collection[str] | None = None) -> list[Resource]:
        spec, passes = self.spec(), self.post.passes[self.place]
        delivery = Delivery.of(spec, self.histories())
        if self.place is Place.NEW:
            return list(stored(spec, passes, delivery, self.clock.now()))
        return list(returned(spec, passes, delivery))

    def write(self, changes: Sequence[Change]) -> None:
        for change in changes:
            assert isinstance(change.after, ReturnedMail | StoredMail)
            whole = isinstance(change.after, ReturnedMail) or change.after.complete
            self.post.copy(self.place, change.address.name, self.clock.now(), judge=whole)


def mail_stores(post: Post, *means: Any) -> dict[tuple[Place, str], MailStore]:
    """Both kinds."""
    places = {Place.NEW: StoredMail.kind, Place.OLD: ReturnedMail.kind}
    return {(place, kind): MailStore(place, post, *means) for place, kind in places.items()}
