from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import JournalError
from reconciler.mailcopy.ledger.passes import read_passes
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from tests.support.clock import FakeClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANN = CopyKey("ann@example.org", "old", "new")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "what? 100% #1" / "mail.ledger"


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqlLedger(f"sqlite:///{tmp_path}/mail.ledger", FakeClock())
    yield opened
    opened.close()


def test_without_a_ledger_nothing_was_copied_and_none_is_made(place: Path) -> None:
    assert read_passes(place) == {}
    assert not place.exists()


def test_a_later_pass_keeps_what_the_judge_said(ledger: SqlLedger, tmp_path: Path) -> None:
    later = NOON + timedelta(hours=1)
    ledger.passed(ANN, LastPass(copied=NOON))
    assert read_passes(tmp_path / "mail.ledger") == {"ann@example.org": LastPass(NOON)}
    ledger.passed(ANN, LastPass(judged=NOON, grade=Grade.GOOD))
    ledger.passed(ANN, LastPass(copied=later))
    ledger.passed(ANN, LastPass())
    assert read_passes(tmp_path / "mail.ledger") == {"ann@example.org": LastPass(later, NOON, Grade.GOOD)}


def test_a_pass_that_found_nothing_keeps_when_one_did(ledger: SqlLedger, tmp_path: Path) -> None:
    later = NOON + timedelta(hours=1)
    ledger.passed(ANN, LastPass(copied=NOON, brought=NOON))
    ledger.passed(ANN, LastPass(copied=later))
    assert read_passes(tmp_path / "mail.ledger") == {"ann@example.org": LastPass(later, brought=NOON)}


def test_the_way_back_is_another_copy(ledger: SqlLedger, tmp_path: Path) -> None:
    ledger.passed(ANN._replace(source="new", target="old"), LastPass(copied=NOON))
    assert read_passes(tmp_path / "mail.ledger") == {}
    assert read_passes(tmp_path / "mail.ledger", "new", "old") == {"ann@example.org": LastPass(NOON)}


def test_a_ledger_of_an_earlier_version_knows_of_no_pass(ledger: SqlLedger, tmp_path: Path) -> None:
    ledger._connection.execute("DROP TABLE mail_passes")
    assert read_passes(tmp_path / "mail.ledger") == {}


def test_a_file_whose_name_needs_quoting_is_read(place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(b"")
    assert read_passes(place) == {}


def test_what_is_no_ledger_is_told(place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(b"this is no database, but it is long enough to look for one in it\n" * 20)
    with pytest.raises(JournalError, match=r"cannot be read: .*not a database"):
        read_passes(place)
