"""Going back on real files when other hands have written meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.api import Applied, Status, open_move
from tests.support.clock import FakeClock
from tests.support.files_world import write_spec, write_world


class Scene:
    def __init__(self, folder: Path) -> None:
        self.spec = write_world(folder)
        write_spec(self.spec, confirm={"copied_back": True})
        self.zone = folder / "example.org.zone"
        self.accounts = folder / "new" / "passwd"
        self.clock = FakeClock()

    def apply(self) -> Applied:
        with open_move(self.spec, clock=self.clock) as move:
            return move.apply()

    def roll_back(self) -> Applied:
        with open_move(self.spec, clock=self.clock) as move:
            return move.roll_back()

    def edit_zone(self, old: str, new: str) -> None:
        text = self.zone.read_text()
        assert old in text
        self.zone.write_text(text.replace(old, new))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.apply()
    return made


def test_an_mx_that_an_administrator_has_turned_is_turned_back_and_the_accounts_wait_for_the_caches(scene) -> None:
    scene.edit_zone("mail.old.example.", "mail.new.example.")
    first = scene.roll_back()
    assert "mail.old.example." in scene.zone.read_text()
    assert "ann@example.org" in scene.accounts.read_text()
    assert {step.verdict.status for step in first.left.steps} == {Status.WAIT}
    until = first.left.next_time
    assert until is not None
    assert until >= scene.clock.now() + timedelta(days=1)  # the TTL of the zone
    scene.clock.advance(until - scene.clock.now() - timedelta(minutes=1))
    assert scene.roll_back().written == 0
    assert "ann@example.org" in scene.accounts.read_text()
    scene.clock.advance(timedelta(minutes=2))
    assert scene.roll_back().left.steps == ()
    assert "ann@example.org" not in scene.accounts.read_text()


def test_an_mx_of_the_new_server_beside_that_of_the_old_one_blocks_until_a_person_takes_it_out(scene) -> None:
    scene.edit_zone("mail.old.example.", "mail.old.example.\n    IN MX 20 mail.new.example.")
    left = scene.roll_back().left
    assert {step.verdict.status for step in left.steps} == {Status.BLOCKED}
    assert "ann@example.org" in scene.accounts.read_text()
    scene.edit_zone("\n    IN MX 20 mail.new.example.", "")
    assert {step.verdict.status for step in scene.roll_back().left.steps} == {Status.WAIT}
    scene.clock.advance(timedelta(days=2))
    assert scene.roll_back().left.steps == ()
