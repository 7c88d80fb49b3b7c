"""Which mailboxes a plan needs for itself, and how it gets them from a copy that is running."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.copying.turns import mailboxes_for, needed_by, open_turns
from reconciler.app.move import Move
from reconciler.errors import Interrupted, Locked
from reconciler.mailcopy.turns import Turns
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.event import Event, Hearer, Waiting
from reconciler.model.plan import Plan, Step
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Status, Verdict
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from tests.support.clock import FakeClock
from tests.support.moves import plan_of

ANN = "ann@example.org"
SPEC = """\
domain: example.org
old: {backend: memory, mx: 10 mail.old.example}
new: {backend: memory, mx: 10 mail.new.example}
dns: {backend: memory}
copy: {old: {host: 127.0.0.1, tls: none}, new: {host: 127.0.0.1, tls: none}}
mailboxes: [{address: ann@example.org, old_password: "env:OLD"}]
"""


def step(before: Any, after: Any, verdict: Verdict = RUN) -> Step:
    return Step(1, Stage.PREPARE, Change(before, after), verdict=verdict)


def account(place: Place = Place.NEW) -> Mailbox:
    return Mailbox(place=place, name=ANN)


COPIED = StoredMail(place=Place.NEW, name=ANN)
RETURNED = ReturnedMail(place=Place.OLD, name=ANN)
QUOTA = Quota(place=Place.NEW, name=ANN, size=1)


@pytest.mark.parametrize(
    "needing", [step(account(), None), step(account(Place.OLD), None), step(None, COPIED), step(None, RETURNED)]
)
def test_a_plan_that_removes_an_account_or_copies_its_mail_needs_its_mailbox(needing: Step) -> None:
    assert needed_by(plan_of(needing)) == (ANN,)


@pytest.mark.parametrize("other", [step(None, account()), step(None, QUOTA), step(QUOTA, None)])
def test_what_else_is_done_to_an_account_does_not_matter_to_a_copy(other: Step) -> None:
    assert needed_by(plan_of(other)) == ()


def test_what_waits_for_other_steps_may_still_run_and_what_waits_for_a_time_or_a_person_may_not() -> None:
    waits = Verdict(Status.WAIT, "it comes after step 3")
    for_time = Verdict(Status.WAIT, "caches", FakeClock().now() + timedelta(hours=1))
    blocked = Verdict(Status.BLOCKED, "a person must decide")
    assert needed_by(plan_of(step(account(), None, waits))) == (ANN,)
    assert needed_by(plan_of(step(account(), None, for_time))) == needed_by(plan_of(step(None, COPIED, blocked))) == ()


class Scene:
    """A copy that holds the mailbox; the plan that needs it looks again whenever it naps."""

    def __init__(self, folder: Path) -> None:
        path = folder / "migration.yaml"
        path.write_text(SPEC)
        self.clock = FakeClock()
        self.move = Move.load(path, self.clock)
        self.told: list[Event] = []
        self.naps = 0

    @contextmanager
    def taken(self, plan: Plan, copier: Turns, gives_back_after: int, stop_after: int = 10_000) -> Iterator[Turns]:
        def nap(seconds: float) -> None:
            self.clock.advance(seconds)
            self.naps += 1
            if self.naps == gives_back_after:
                assert copier.wanted(ANN) == "apply of example.org needs the mailbox"
                copier.give_back([ANN])

        with mailboxes_for(self.move, plan, Hearer(self.told.append), lambda: self.naps >= stop_after, nap) as turns:
            yield turns


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_copy_is_asked_for_the_mailbox_and_waited_for_with_one_word_about_it(scene: Scene) -> None:
    with open_turns(scene.move) as copier:
        copier.take([ANN])
        with scene.taken(plan_of(step(account(), None)), copier, 3) as mine:
            assert list(copier.take([ANN])) == [ANN]
            assert mine.take([ANN]) == {}
        assert copier.wanted(ANN) == ""
    (said,) = scene.told
    assert isinstance(said, Waiting)
    assert said.words.startswith("ann@example.org: process ")
    assert said.words.endswith("it was asked to give the mailbox back after its batch")
    assert scene.naps == 3


def test_the_mailbox_is_free_again_when_the_plan_has_ended(scene: Scene) -> None:
    with open_turns(scene.move) as copier:
        with scene.taken(plan_of(step(account(), None)), copier, 0):
            pass
        assert copier.take([ANN]) == {}


def test_a_mailbox_that_nobody_gives_back_is_waited_for_ten_minutes(scene: Scene) -> None:
    with open_turns(scene.move) as copier:
        copier.take([ANN])
        with (
            pytest.raises(Locked, match=r"ann@example\.org: process .* for 10 minutes\. .*Nothing of the plan"),
            scene.taken(plan_of(step(account(), None)), copier, 0),
        ):
            pass
        assert scene.naps == 1200
        assert copier.wanted(ANN) == ""


def test_a_person_can_stop_the_waiting(scene: Scene) -> None:
    with open_turns(scene.move) as copier:
        copier.take([ANN])
        with pytest.raises(Interrupted), scene.taken(plan_of(step(account(), None)), copier, 0, stop_after=2):
            pass


def test_a_plan_that_needs_no_mailbox_opens_nothing(scene: Scene) -> None:
    with open_turns(scene.move) as copier:
        copier.take([ANN])
        with scene.taken(plan_of(step(None, QUOTA)), copier, 0):
            assert scene.naps == 0
