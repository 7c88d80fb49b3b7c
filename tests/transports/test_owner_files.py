import logging
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.copying.ledger import ledger_place, open_ledger
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.app.saved_plans import save
from reconciler.cli.logs import kept
from reconciler.cli.speech.copy_report import Logs, write_report
from reconciler.errors import WriteError
from reconciler.journal.database import open_sqlite
from reconciler.transports import owner_files
from reconciler.transports.generated_passwords import GeneratedPasswords
from tests.support.clock import MONDAY_MORNING, FakeClock
from tests.support.plans import mixed

OUTCOME = Outcome("ann@example.org", "done")
NAME = "ann@example.org.log"


def _plan(path: Path) -> None:
    save(mixed(), path.with_name("spec.yaml"), path)


def _log(path: Path) -> None:
    with kept("info", path):
        logging.getLogger("reconciler.test").info("said")


def _mailbox_log(path: Path) -> None:
    Logs(path.parent).tell(MailboxThrough(OUTCOME, 1, 1))


def _report(path: Path) -> None:
    write_report(path, [OUTCOME], MONDAY_MORNING)


def _journal(path: Path) -> None:
    database = open_sqlite(path, create=True)
    database.prepare()
    database.close()


def _ledger(path: Path) -> None:
    with open_ledger(path, FakeClock()):
        pass


WRITERS: dict[str, Callable[[Path], None]] = {
    "plan.json": _plan,
    "run.log": _log,
    NAME: _mailbox_log,
    "report.csv": _report,
    "report.json": _report,
    "spec.journal": _journal,
    ledger_place(Path("spec.yaml")).name: _ledger,
}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@given(st.sampled_from(sorted(WRITERS)), st.integers(0o600, 0o777) | st.none(), st.sampled_from([0, 0o022, 0o077]))
def test_what_is_written_for_people_is_their_owners_alone_whatever_stood_and_whatever_the_umask(
    tmp_path_factory, name, before, umask
):
    path = tmp_path_factory.mktemp("files") / name
    if before is not None:
        path.touch()
        path.chmod(before)
    was = os.umask(umask)
    try:
        WRITERS[name](path)
    finally:
        os.umask(was)
    assert path.stat().st_size
    assert [each.name for each in path.parent.iterdir() if mode_of(each) & ~0o600] == []


@pytest.mark.parametrize("name", ["plan.json", "report.csv", "report.json"])
def test_at_no_moment_can_others_read_a_file_that_is_written_anew(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("as it was\n")
    path.chmod(0o644)
    seen, flush = [], os.fsync

    def look(descriptor: int) -> None:
        seen.append({mode_of(each) for each in tmp_path.iterdir() if each.read_bytes() != b"as it was\n"})
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    WRITERS[name](path)
    assert seen == [{0o600}, {0o600}]  # the new content before the rename, then the folder


def test_a_stricter_umask_is_kept(tmp_path):
    was = os.umask(0o377)
    try:
        owner_files.write(tmp_path / "plan.json", b"{}")
    finally:
        os.umask(was)
    assert mode_of(tmp_path / "plan.json") == 0o400


def test_a_link_that_somebody_laid_is_replaced_and_not_followed(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    (tmp_path / "plan.json").symlink_to(theirs)
    _plan(tmp_path / "plan.json")
    assert theirs.read_text() == "theirs"
    assert not (tmp_path / "plan.json").is_symlink()
    assert mode_of(tmp_path / "plan.json") == 0o600


def test_all_folders_that_are_made_are_their_owners_alone_and_those_that_stand_keep_their_mode(tmp_path):
    tmp_path.chmod(0o755)
    was = os.umask(0)
    try:
        owner_files.make_folder(tmp_path / "a" / "b" / "c")
        owner_files.make_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(was)
    assert [mode_of(tmp_path / each) for each in ("", "a", "a/b", "a/b/c")] == [0o755, 0o700, 0o700, 0o700]


def test_what_is_no_regular_file_is_written_to_and_left_as_it_is(tmp_path):
    before = mode_of(Path("/dev/null"))
    os.close(owner_files.open_to_add(Path("/dev/null")))
    assert mode_of(Path("/dev/null")) == before
    with pytest.raises(WriteError, match="not a regular file"):
        owner_files.write(tmp_path, b"")


def test_what_lies_beside_a_database_is_closed_with_it(tmp_path):
    place = tmp_path / "spec.ledger"
    _ledger(place)
    left = sqlite3.connect(place)
    left.execute("BEGIN")
    left.execute("SELECT * FROM sqlite_master").fetchall()
    for each in tmp_path.iterdir():
        each.chmod(0o644)
    owner_files.make_database(place)
    assert {mode_of(each) for each in tmp_path.iterdir() if each.suffix != ".lock"} == {0o600}
    left.close()


def test_generated_passwords_are_refused_where_others_can_read_them(tmp_path):
    was = os.umask(0)
    try:
        GeneratedPasswords(tmp_path / "passwords.csv").password("ann@example.org")
    finally:
        os.umask(was)
    assert mode_of(tmp_path / "passwords.csv") == 0o600
