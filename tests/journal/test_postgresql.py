"""A journal on a real PostgreSQL, which several machines share."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, literal

from reconciler.app.copying.turns import open_turns
from reconciler.app.move import Move
from reconciler.errors import JournalError, Locked
from reconciler.journal.database import open_url
from reconciler.journal.journal import DatabaseJournal
from reconciler.journal.keeper import Keeper
from reconciler.journal.lock import LEASE
from reconciler.journal.open import open_journal, read_journal
from reconciler.journal.turns import DatabaseTurns
from tests.lab.postgres import Postgres
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

pytestmark = pytest.mark.daemon

ROOT = Path(__file__).parents[2]
ANN = "ann@example.org"
MAKERS = 8
YEAR = timedelta(days=365)
Opening = Callable[..., DatabaseJournal]
Elsewhere = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def url(server: Postgres) -> str:
    server.empty()
    return server.url


@pytest.fixture
def opened(url: str, clock: FakeClock) -> Iterator[Opening]:
    """Opens the journal as one more machine would, with its own clock."""
    with ExitStack() as stack:
        yield lambda at=clock, domain="example.org": stack.enter_context(open_journal(url, domain, {}, at))


def make(url: str, gate: Any, said: Any, rounds: int, *, alone: bool) -> None:
    """One of several processes that make the tables at the same moment, once in each round."""
    if not alone:  # as every database whose own lock we do not know
        setattr(func, "pg_advisory_xact_lock", lambda _: literal(1))  # noqa: B010 - it makes any name up when asked
    for _ in range(rounds):
        with closing(open_url(url)) as database:
            gate.wait()
            try:
                database.prepare()
            except JournalError as error:
                said.put(str(error))
            else:
                said.put("")


@pytest.mark.parametrize(("alone", "rounds"), [(True, 8), (False, 4)])
def test_processes_that_make_the_tables_at_once_all_succeed_and_the_version_is_there_once(
    server: Postgres, alone: bool, rounds: int
) -> None:
    context = multiprocessing.get_context("spawn")
    gate, said = context.Barrier(MAKERS + 1), context.Queue()
    makers = [
        context.Process(target=make, args=(server.url, gate, said, rounds), kwargs={"alone": alone}, daemon=True)
        for _ in range(MAKERS)
    ]
    for maker in makers:
        maker.start()
    for _ in range(rounds):
        server.empty()
        gate.wait()
        assert [said.get() for _ in makers] == [""] * MAKERS
        assert server.run("SELECT schema_version FROM reconciler_meta") == [(1,)]
    for maker in makers:
        maker.join()


def test_tables_that_an_older_program_made_twice_over_are_read(server: Postgres, url: str, clock: FakeClock) -> None:
    with open_journal(url, "example.org", {}, clock) as journal, journal.lock:
        journal.open_run(plan_of())
    server.run(
        "ALTER TABLE reconciler_meta DROP CONSTRAINT reconciler_meta_pkey",
        "INSERT INTO reconciler_meta VALUES (1)",
    )
    with read_journal(url, "example.org", {}, clock) as past:
        assert [run.number for run in past.runs()] == [1]


def test_a_machine_whose_clock_is_ahead_takes_no_lock_that_is_held(
    opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    holder = opened()
    with elsewhere():
        holder.lock.acquire()
    ahead = opened(FakeClock(clock.now() + YEAR))
    with pytest.raises(Locked, match="being changed by another run"):
        ahead.lock.acquire()
    holder.hold()


def test_a_machine_whose_clock_is_behind_keeps_its_lock_from_the_others(
    opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    behind = opened(FakeClock(clock.now() - YEAR))
    with elsewhere():
        behind.lock.acquire()
    with pytest.raises(Locked):
        opened().lock.acquire()
    assert behind.open_run(plan_of()) == 1
    assert [run.outcome for run in opened().past.runs()] == ["running"]


def test_a_lease_that_is_over_by_the_databases_clock_is_taken_whatever_our_own_says(
    server: Postgres, opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    gone = opened()
    with elsewhere():
        gone.lock.acquire()
    server.run("UPDATE reconciler_locks SET expires = '2020-01-01T00:00:00.000000Z'")
    behind = opened(FakeClock(clock.now() - YEAR))
    behind.lock.acquire()
    with pytest.raises(Locked, match="lost its lock"):
        gone.hold()
    behind.hold()


def test_a_database_that_is_restarted_keeps_the_lock_for_its_holder(
    server: Postgres, opened: Opening, clock: FakeClock
) -> None:
    journal = opened()
    with journal.lock:
        keeper = Keeper(journal.hold, LEASE, clock)
        server.stop()
        assert keeper.beat() == LEASE / 12
        server.start()
        assert keeper.beat() == LEASE / 3
        journal.open_run(plan_of())


def test_a_lock_that_could_not_be_given_back_is_not_in_the_way_of_this_process(
    server: Postgres, opened: Opening
) -> None:
    journal = opened()
    with journal.lock:
        journal.open_run(plan_of())
        server.stop()
    server.start()
    assert len(server.run("SELECT * FROM reconciler_locks")) == 1
    assert [run.outcome for run in opened().past.runs()] == ["interrupted"]
    opened().lock.acquire()


def test_what_several_moves_write_at_once_is_kept_apart(opened: Opening) -> None:
    journals = {domain: opened(domain=domain) for domain in ("example.org", "example.com")}
    with journals["example.org"].lock, journals["example.com"].lock:
        for _ in range(2):
            for journal in journals.values():
                steps = [step(1, mx("old"), mx("new"))]
                journal.begin(journal.open_run(plan_of(*steps)), steps)
    assert all([run.number for run in journal.past.runs()] == [1, 2] for journal in journals.values())


SPEC = """\
domain: example.org
journal: {url}
old: {{backend: memory, mx: 10 mail.old.example}}
new: {{backend: memory, mx: 10 mail.new.example}}
dns: {{backend: memory}}
copy: {{old: {{host: 127.0.0.1, tls: none}}, new: {{host: 127.0.0.1, tls: none}}}}
mailboxes: [{{address: ann@example.org, old_password: "env:OLD"}}]
"""


def test_copies_on_two_machines_have_a_ledger_each_and_share_the_locks_on_mailboxes(
    url: str, clock: FakeClock, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    moves = []
    for folder in (tmp_path / "far", tmp_path / "near"):
        folder.mkdir()
        (folder / "migration.yaml").write_text(SPEC.format(url=url))
        moves.append(Move.load(folder / "migration.yaml", clock))
    with elsewhere(), open_turns(moves[0]) as far:
        assert far.take([ANN]) == {}
        with open_turns(moves[1]) as near:
            assert " works on it" in near.take([ANN])[ANN]
            far.give_back([ANN])
            assert near.take([ANN]) == {}


def test_a_database_that_is_away_ends_no_copy_and_gets_back_what_was_given_back_meanwhile(
    server: Postgres, url: str, clock: FakeClock
) -> None:
    with closing(open_url(url)) as database:
        database.prepare()
        with closing(DatabaseTurns(database, clock)) as turns, closing(DatabaseTurns(database, clock)) as others:
            assert turns.take([ANN]) == {}
            server.stop()
            clock.advance(1)
            assert turns.wanted(ANN) == ""
            assert "cannot be written" in turns.take(["ben@example.org"])["ben@example.org"]
            turns.give_back([ANN])
            server.start()
            turns.give_back(["cat@example.org"])
            assert others.take([ANN, "ben@example.org"]) == {}


TAKE = """
import sys
from reconciler.journal.database import open_url
from reconciler.journal.turns import DatabaseTurns
from tests.support.clock import FakeClock

database = open_url(sys.argv[1])
turns = DatabaseTurns(database, FakeClock())
print("ready", flush=True)
sys.stdin.readline()
many = [f"user{number}@example.org" for number in range(300)]
others = turns.take(many if sys.argv[2] == "0" else many[::-1])
print(*(account for account in many if account not in others), flush=True)
sys.stdin.readline()
"""


def test_of_processes_that_take_the_same_mailboxes_at_once_each_mailbox_is_one_processs(
    server: Postgres, opened: Opening
) -> None:
    opened()
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, server.url, str(number % 2)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    taken: list[str] = []
    for taker in takers:
        assert taker.stdout
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin
        taker.stdin.write("go\n")
        taker.stdin.flush()
    for taker in takers:
        assert taker.stdout
        taken += taker.stdout.readline().split()
    for taker in takers:
        taker.communicate("end\n")
    assert sorted(taken) == sorted(f"user{number}@example.org" for number in range(300))


def test_a_mailbox_of_another_machine_is_its_own_until_its_lease_is_over_by_the_databases_clock(
    server: Postgres, opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    opened()
    ahead = FakeClock(clock.now() + YEAR)
    with (
        closing(open_url(server.url)) as database,
        closing(DatabaseTurns(database, clock)) as far,
        closing(DatabaseTurns(database, ahead)) as near,
    ):
        with elsewhere():
            assert far.take([ANN]) == {}
        assert " works on it" in near.take([ANN])[ANN]
        near.wish([ANN], "apply of example.org needs the mailbox")
        assert far.wanted(ANN) == "apply of example.org needs the mailbox"
        server.run("UPDATE reconciler_locks SET expires = '2020-01-01T00:00:00.000000Z'")
        assert near.take([ANN]) == {}


SEE = """
import sys
from reconciler.journal.open import open_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx

with open_journal(sys.argv[1], "example.org", {}, FakeClock()) as journal:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        served = {f"ns{each}.example.net.": {"example.org. MX": mx(f"mx{number}")} for each in range(4)}
        journal.see(served, FakeClock().now())
"""


def test_what_two_processes_see_at_once_is_noted_once(server: Postgres, opened: Opening) -> None:
    opened()
    seers = [
        subprocess.Popen(
            [sys.executable, "-c", SEE, server.url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for seer in seers:
        assert seer.stdout
        assert seer.stdout.readline() == b"ready\n"
    for seer in seers:
        assert seer.stdin
        seer.stdin.write(b"go\n")
        seer.stdin.flush()
    for seer in seers:
        seer.communicate()
        assert seer.returncode == 0
    before = "lag(value::text) OVER (PARTITION BY server ORDER BY id)"
    rows = f"SELECT value::text = {before} AS again FROM reconciler_sightings"
    assert server.run(f"SELECT count(*) FROM ({rows}) AS each WHERE again") == [(0,)]
