"""Whom the ledger is shared with."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.app.copying.ledger import open_ledger
from reconciler.errors import Locked
from reconciler.mailcopy.model.ledger import CopyKey
from tests.support.clock import FakeClock

KEY = CopyKey("ann@example.org", "old", "new")
ELSEWHERE = "another-boot pid:[4026531836]"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "migration.ledger"


def be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.app.copying.ledger.machine", lambda: ELSEWHERE)


def test_processes_of_one_machine_write_it_at_once(place: Path) -> None:
    with open_ledger(place, FakeClock()) as one, open_ledger(place, FakeClock()) as other:
        one.spend(KEY, 3)
        other.spend(KEY, 4)
        assert one.spent(KEY) == other.spent(KEY) == 7


def test_another_machine_is_refused_until_the_last_of_this_one_has_ended(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as first, ExitStack() as last:
        first.enter_context(open_ledger(place, FakeClock()))
        last.enter_context(open_ledger(place, FakeClock()))
        be_elsewhere(monkeypatch)
        for ending in (first, last):
            with pytest.raises(Locked, match="another machine or container"), open_ledger(place, FakeClock()):
                pass
            ending.close()
        with open_ledger(place, FakeClock()) as ledger:
            assert ledger.spent(KEY) == 0
            monkeypatch.undo()
            with pytest.raises(Locked), open_ledger(place, FakeClock()):
                pass
