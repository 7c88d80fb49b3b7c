"""Journals that earlier releases have made are opened, and go on being written."""

import sqlite3
from pathlib import Path

import pytest

from reconciler.journal.open import open_journal, read_journal
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

RELEASE_0_1_0 = """
CREATE TABLE reconciler_locks (
    domain VARCHAR(255) NOT NULL, token VARCHAR(32) NOT NULL, host VARCHAR(255) NOT NULL,
    processes VARCHAR(255) NOT NULL, pid INTEGER NOT NULL, since VARCHAR(27) NOT NULL, expires VARCHAR(27) NOT NULL,
    PRIMARY KEY (domain)
);
CREATE TABLE reconciler_meta (schema_version INTEGER NOT NULL);
INSERT INTO "reconciler_meta" VALUES(1);
CREATE TABLE reconciler_runs (
    domain VARCHAR(255) NOT NULL, number INTEGER NOT NULL, intent VARCHAR(16) NOT NULL, stage VARCHAR(16) NOT NULL,
    spec_digest VARCHAR(128) NOT NULL, plan_digest VARCHAR(64) NOT NULL, tool_version VARCHAR(64) NOT NULL,
    host VARCHAR(255) NOT NULL, started VARCHAR(27) NOT NULL, ended VARCHAR(27), outcome VARCHAR(16),
    PRIMARY KEY (domain, number)
);
INSERT INTO "reconciler_runs" VALUES('example.org',1,'apply','cutover','spec-digest','bf6116b649f7','0.1.0','vm',
    '2026-03-02T08:00:00.000000Z','2026-03-02T08:00:00.000000Z','done');
CREATE TABLE reconciler_sightings (
    id INTEGER NOT NULL, domain VARCHAR(255) NOT NULL, server VARCHAR(255) NOT NULL, name VARCHAR(300) NOT NULL,
    value JSON, first_seen VARCHAR(27) NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE reconciler_steps (
    id INTEGER NOT NULL, domain VARCHAR(255) NOT NULL, run INTEGER NOT NULL, number INTEGER NOT NULL,
    place VARCHAR(8) NOT NULL, kind VARCHAR(64) NOT NULL, name VARCHAR(512) NOT NULL, stage VARCHAR(16) NOT NULL,
    verb VARCHAR(1) NOT NULL, "before" JSON, "after" JSON, begun VARCHAR(27) NOT NULL, done VARCHAR(27),
    failed VARCHAR(27), why TEXT NOT NULL, PRIMARY KEY (id)
);
INSERT INTO "reconciler_steps" VALUES(1,'example.org',1,1,'dns','rrset','example.org. MX','cutover','~',
    '{"kind": "rrset", "place": "dns", "name": "example.org. MX", "ttl": 300, "rdata": ["10 old.example.net."]}',
    '{"kind": "rrset", "place": "dns", "name": "example.org. MX", "ttl": 300, "rdata": ["10 new.example.net."]}',
    '2026-03-02T08:00:00.000000Z','2026-03-02T08:00:00.000000Z',NULL,'');
CREATE INDEX reconciler_steps_of_run ON reconciler_steps (domain, run, number);
CREATE INDEX reconciler_sightings_of_name ON reconciler_sightings (domain, server, name);
"""


@pytest.fixture
def older(place: Path) -> Path:
    connection = sqlite3.connect(place)
    connection.executescript(RELEASE_0_1_0)
    connection.close()
    return place


def tables(place: Path) -> set[str]:
    connection = sqlite3.connect(place)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found


def test_reading_a_journal_of_the_last_release_changes_nothing_in_it(older: Path, clock: FakeClock) -> None:
    before = older.read_bytes()
    with read_journal(older, "example.org", {}, clock) as past:
        assert list(past.baselines().values()) == [mx("old")]
    assert older.read_bytes() == before


def test_a_journal_of_the_last_release_goes_on_and_is_given_the_tables_that_it_lacks(
    older: Path, clock: FakeClock
) -> None:
    lacking = {"reconciler_wishes"}
    assert not lacking & tables(older)
    with open_journal(older, "example.org", {}, clock) as journal, journal.lock:
        steps = [step(1, mx("new"), mx("other"))]
        run = journal.open_run(plan_of(*steps))
        journal.begin(run, steps)
        journal.done(run, steps)
        assert [each.number for each in journal.past.runs()] == [1, 2]
        assert list(journal.baselines().values()) == [mx("old")]
    assert lacking <= tables(older)
