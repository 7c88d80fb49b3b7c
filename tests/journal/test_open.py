import os
import sqlite3
import stat
import subprocess
import sys
import traceback
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from reconciler.errors import JournalError
from reconciler.journal.database import Database
from reconciler.journal.open import journal_place, open_journal, read_journal
from reconciler.spec.database_url import scrubbed, shown
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

ROOT = Path(__file__).parents[2]
SPEC = Path("/moves/example.yaml")


def test_the_journal_stands_beside_the_spec() -> None:
    assert journal_place(SPEC) == Path("/moves/example.journal")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///state/a.db", Path("/moves/state/a.db")),
        ("sqlite:////var/lib/a.db", Path("/var/lib/a.db")),
        ("sqlite+pysqlite:///a.db", Path("/moves/a.db")),
        ("postgresql://host/moves", "postgresql://host/moves"),
    ],
)
def test_a_url_names_a_file_relative_to_the_spec_or_a_database(url: str, place: Path | str) -> None:
    assert journal_place(SPEC, url) == place


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "sqlite:a"])
def test_a_sqlite_database_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(JournalError, match="is no file"):
        journal_place(SPEC, url)


def test_reading_a_journal_that_does_not_exist_gives_nothing_and_makes_nothing(place: Path, clock: FakeClock) -> None:
    with read_journal(place, "example.org", {}, clock) as past:
        assert past.runs() == ()
        assert past.steps_of(1) == past.written_steps() == ()
        assert past.baselines() == {}
        assert past.histories() == {}
    assert list(place.parent.iterdir()) == []


def test_nothing_loads_sqlalchemy_before_there_is_a_journal(place: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from reconciler.journal.open import journal_place, read_journal
from tests.support.clock import FakeClock
with read_journal(Path({str(place)!r}), "example.org", {{}}, FakeClock()) as past:
    past.baselines()
print("sqlalchemy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_journal_can_be_read_while_it_may_not_be_written(place: Path, clock: FakeClock) -> None:
    with open_journal(place, "example.org", {}, clock) as journal, journal.lock:
        steps = [step(1, mx("old"), mx("new"))]
        journal.begin(journal.open_run(plan_of(*steps)), steps)
    before = place.read_bytes()
    place.chmod(0o400)
    place.parent.chmod(0o500)
    try:
        with read_journal(place, "example.org", {}, clock) as past:
            assert list(past.baselines().values()) == [mx("old")]
    finally:
        place.parent.chmod(0o700)
    assert place.read_bytes() == before
    assert [file.name for file in place.parent.iterdir()] == [place.name]


def test_a_new_journal_is_for_its_owner_only_whatever_the_umask(place: Path, clock: FakeClock) -> None:
    umask = os.umask(0)
    try:
        with open_journal(place, "example.org", {}, clock):
            pass
    finally:
        os.umask(umask)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_path_with_signs_that_mean_something_in_urls_is_taken_as_it_is(tmp_path: Path, clock: FakeClock) -> None:
    place = tmp_path / "a?b#c%20d é.journal"
    with open_journal(place, "example.org", {}, clock) as journal, journal.lock:
        journal.open_run(plan_of())
    assert [file.name for file in tmp_path.iterdir()] == [place.name]


def test_an_empty_file_is_a_journal_that_was_never_written(place: Path, clock: FakeClock) -> None:
    place.touch()
    with read_journal(place, "example.org", {}, clock) as past:
        assert past.runs() == ()
    assert place.read_bytes() == b""
    with open_journal(place, "example.org", {}, clock) as journal, journal.lock:
        assert journal.open_run(plan_of()) == 1


@pytest.mark.parametrize("open_", [open_journal, read_journal])
def test_what_is_no_database_is_refused_with_what_to_do_and_left_as_it_is(place: Path, clock: FakeClock, open_) -> None:
    place.write_text("domain: example.org\n" * 100)
    with (
        pytest.raises(JournalError, match=r"migration\.journal cannot be read: .*move it away"),
        open_(place, "example.org", {}, clock),
    ):
        pass
    assert place.read_text() == "domain: example.org\n" * 100


def test_a_damaged_journal_is_refused_with_what_it_costs_to_go_on_without(place: Path, clock: FakeClock) -> None:
    with open_journal(place, "example.org", {}, clock):
        pass
    content = bytearray(place.read_bytes())
    content[100:4096] = os.urandom(3996)
    place.write_bytes(content)
    with (
        pytest.raises(JournalError, match="rollback of earlier runs"),
        read_journal(place, "example.org", {}, clock) as past,
    ):
        past.runs()


def test_another_programs_database_is_refused_and_left_as_it_is(place: Path, clock: FakeClock) -> None:
    connection = sqlite3.connect(place)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = place.read_bytes()
    with (
        pytest.raises(JournalError, match=r"another program's database .* table recipes"),
        open_journal(place, "example.org", {}, clock),
    ):
        pass
    assert place.read_bytes() == before


@pytest.mark.parametrize("statement", ["UPDATE reconciler_meta SET schema_version = 2", "DELETE FROM reconciler_meta"])
def test_a_newer_versions_journal_is_refused(place: Path, clock: FakeClock, statement: str) -> None:
    with open_journal(place, "example.org", {}, clock):
        pass
    with sqlite3.connect(place) as connection:
        connection.execute(statement)
    connection.close()
    for open_ in (open_journal, read_journal):
        with (
            pytest.raises(JournalError, match=r"has version .*reads version 1"),
            open_(place, "example.org", {}, clock),
        ):
            pass


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, clock: FakeClock) -> None:
    place = tmp_path / "nowhere" / "a.journal"
    with (
        pytest.raises(JournalError, match=r"nowhere/a\.journal cannot be opened for writing: No such file"),
        open_journal(place, "example.org", {}, clock),
    ):
        pass


def test_a_folder_as_journal_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    for open_ in (open_journal, read_journal):
        with pytest.raises(JournalError, match=str(tmp_path)), open_(tmp_path, "example.org", {}, clock):
            pass


def test_the_password_of_a_database_is_in_no_message(clock: FakeClock) -> None:
    for url in ("nosuchdb://me:sesame@127.0.0.1/x", "postgresql+nosuchdriver://me:sesame@127.0.0.1/x", "me:sesame@127"):
        with pytest.raises(JournalError) as caught, open_journal(url, "example.org", {}, clock):
            pass
        assert "sesame" not in str(caught.value)


def test_any_sqlalchemy_url_will_do(place: Path, clock: FakeClock) -> None:
    with open_journal(f"sqlite:///{place}", "example.org", {}, clock) as journal, journal.lock:
        steps = [step(1, mx("old"), mx("new"))]
        journal.begin(journal.open_run(plan_of(*steps)), steps)
        journal.see({"ns1.example.net.": {"example.org. MX": None}}, clock.now())
    with read_journal(f"sqlite:///{place}", "example.org", {}, clock) as past:
        assert list(past.baselines().values()) == [mx("old")]
        assert list(past.histories()) == ["example.org. MX"]


def test_a_value_of_a_kind_that_is_not_known_is_refused(place: Path, clock: FakeClock) -> None:
    with open_journal(place, "example.org", {}, clock) as journal, journal.lock:
        steps = [step(1, mx("old"), mx("new"))]
        journal.begin(journal.open_run(plan_of(*steps)), steps)
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE reconciler_steps SET before = replace(before, 'rrset', 'teapot')")
    connection.close()
    with (
        pytest.raises(JournalError, match="'teapot' is not a kind"),
        read_journal(place, "example.org", {}, clock) as past,
    ):
        past.baselines()


def test_what_a_driver_says_of_its_connection_string_is_scrubbed(clock: FakeClock) -> None:
    def refuse() -> sqlite3.Connection:
        msg = "login failed for DRIVER=x;UID=me;PWD=sesame in postgresql://me:sesame@db/x with -c sesame"
        raise sqlite3.OperationalError(msg)

    url = "postgresql://me@db/x?options=-c%20sesame"
    database = Database(create_engine("sqlite://", creator=refuse), shown(url), partial(scrubbed, url=url))
    with pytest.raises(JournalError, match="login failed") as caught:
        database.is_empty()
    assert "sesame" not in "".join(traceback.format_exception(caught.value))
