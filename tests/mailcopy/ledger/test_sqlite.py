import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import JournalError
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.accounting import Fate, Record
from reconciler.mailcopy.model.ledger import CopyKey, FolderState
from tests.support.clock import FakeClock

ANN = CopyKey("ann@example.org", "old", "new")
STATE = FolderState(0, b"INBOX", 7, b"INBOX", 9)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[SqlLedger]:
    opened = SqlLedger(f"sqlite:///{tmp_path}/mail.db", clock)
    yield opened
    opened.close()


def copied(uid: int, target_uid: int, flags: str = "") -> Record:
    return Record(uid, Fate.COPIED, target_uid, flags)


def test_a_folder_comes_back_as_it_was_closed(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    assert ledger.folders(ANN) == {b"INBOX": state}
    closed = replace(state, uidnext=8, messages=7, modseq=99, copied=6, refused=1, top=70, known=6)
    ledger.close_folder(closed)
    assert ledger.folders(ANN) == {b"INBOX": closed}


def test_each_mailbox_and_direction_has_its_own_folders(ledger: SqlLedger) -> None:
    ledger.open_folder(ANN, STATE)
    assert ledger.folders(CopyKey("ann@example.org", "new", "old")) == {}


def test_it_outlives_the_process(ledger: SqlLedger, tmp_path: Path, clock: FakeClock) -> None:
    state = ledger.open_folder(ANN, STATE)
    ledger.record(state.number, [copied(1, 11, "\\Seen")])
    other = SqlLedger(f"sqlite:///{tmp_path}/mail.db", clock)
    assert other.records(state.number) == {1: copied(1, 11, "\\Seen")}
    other.close()


def test_of_two_states_the_later_holds_and_the_copies_of_the_earlier_are_strangers_again(ledger: SqlLedger) -> None:
    first = ledger.open_folder(ANN, STATE)
    ledger.record(first.number, [copied(1, 11)])
    assert ledger.target_uids(ANN, b"INBOX", 9) == {11}
    second = ledger.open_folder(ANN, replace(STATE, source_uidvalidity=8))
    assert ledger.folders(ANN)[b"INBOX"].number == second.number
    assert ledger.target_uids(ANN, b"INBOX", 9) == set()


def test_target_uids_are_known_from_every_source_folder_that_goes_there(ledger: SqlLedger) -> None:
    inbox = ledger.open_folder(ANN, STATE)
    more = ledger.open_folder(ANN, replace(STATE, source=b"More"))
    ledger.record(inbox.number, [copied(1, 11), Record(2, Fate.EXCLUDED, words="a rule")])
    ledger.record(more.number, [copied(1, 12), copied(2, 0)])
    assert ledger.target_uids(ANN, b"INBOX", 9) == {11, 12}
    assert ledger.target_uids(ANN, b"INBOX", 10) == set()


def test_a_batch_is_in_doubt_until_its_records_are_written(ledger: SqlLedger, clock: FakeClock) -> None:
    state = ledger.open_folder(ANN, STATE)
    batch = ledger.begin(state.number, [1, 2, 3, 9], 40)
    (doubt,) = ledger.doubts(ANN)
    assert (doubt.folder, doubt.uids, doubt.target_uidnext, doubt.begun) == (
        state.number,
        (1, 2, 3, 9),
        40,
        clock.now(),
    )
    ledger.record(state.number, [copied(1, 40)], batch=batch)
    assert ledger.doubts(ANN) == []
    ledger.drop(ledger.begin(state.number, [4], 41))
    assert ledger.doubts(ANN) == []


def test_counts_leave_out_what_the_source_no_longer_holds(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    ledger.record(state.number, [copied(1, 11), copied(2, 12), Record(3, Fate.REFUSED, words="too big")])
    ledger.gone(state.number, [2])
    counts = ledger.counts(state.number)
    assert counts.fates == {Fate.COPIED: 1, Fate.REFUSED: 1}
    assert (counts.held, counts.known, counts.top) == (2, 2, 12)


def test_a_record_replaces_the_one_before(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    ledger.record(state.number, [copied(1, 0)])
    ledger.record(state.number, [copied(1, 11, "\\Seen")])
    assert ledger.records(state.number, first=1) == {1: copied(1, 11, "\\Seen")}
    assert ledger.records(state.number, first=2) == {}


def test_flags_are_told_of_copied_messages_only_however_many_are_asked(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    ledger.record(state.number, [copied(uid, uid) for uid in range(1, 1400)] + [Record(2000, Fate.REFUSED)])
    assert len(ledger.flags(state.number, range(1, 3000))) == 1399


def test_what_was_left_off_is_told_of_copied_messages_only(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    words = "without keyword k4: NO [LIMIT] Too many user flags"
    left_off = Record(1, Fate.COPIED, 11, words=words)
    ledger.record(state.number, [left_off, copied(2, 12), Record(3, Fate.REFUSED, words="too big")])
    assert ledger.told(state.number) == {1: words}


def test_an_approved_text_stays_the_approved_one(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    ledger.approve(state.number, {1: b"first", 2: b"second"})
    ledger.approve(state.number, {1: b"another"})
    assert ledger.approved(state.number) == {1: b"first", 2: b"second"}
    assert ledger.approved(state.number + 1) == {}


def test_a_ledger_from_before_the_approvals_is_taken_as_it_is(tmp_path: Path, clock: FakeClock) -> None:
    place = f"sqlite:///{tmp_path}/old.db"
    before = SqlLedger(place, clock)
    state = before.open_folder(ANN, STATE)
    before.close()
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("DROP TABLE mail_approved")
    after = SqlLedger(place, clock)
    after.approve(state.number, {1: b"text"})
    assert after.approved(state.number) == {1: b"text"}
    after.close()


def test_refused_messages_are_forgotten_so_that_the_folder_is_gone_through_again(ledger: SqlLedger) -> None:
    state = ledger.open_folder(ANN, STATE)
    other = ledger.open_folder(ANN, replace(STATE, source=b"Other"))
    for entry in (state, other):
        ledger.close_folder(replace(entry, uidnext=5, messages=2))
    ledger.record(state.number, [copied(1, 11), Record(2, Fate.REFUSED, words="too big")])
    ledger.forget_refused(ANN)
    assert set(ledger.records(state.number)) == {1}
    assert ledger.folders(ANN)[b"INBOX"].uidnext == 1
    assert ledger.folders(ANN)[b"Other"].uidnext == 5


def test_the_days_volume_adds_up_and_begins_anew_at_midnight(ledger: SqlLedger, clock: FakeClock) -> None:
    ledger.spend(ANN, 5)
    ledger.spend(ANN, 6)
    assert ledger.spent(ANN) == 11
    clock.advance(86_400)
    assert ledger.spent(ANN) == 0


def test_a_file_that_is_no_ledger_is_an_error_that_says_what_to_do(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "mail.db").write_bytes(b"no database at all, but long enough to be looked at" * 50)
    with pytest.raises(JournalError, match="move it away"):
        SqlLedger(f"sqlite:///{tmp_path}/mail.db", clock)
