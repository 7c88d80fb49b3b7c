import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ConfigDict

from reconciler.errors import Locked
from reconciler.journal.journal import DatabaseJournal
from reconciler.journal.records import StepState
from reconciler.model.address import Address, Place
from reconciler.model.codec import plan_digest
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.model.stage import Stage
from reconciler.ports import Journal
from reconciler.resources.server.mailbox import Mailbox
from tests.support.clock import FakeClock
from tests.support.moves import mx, plan_of, step

MX = Address(Place.DNS, "rrset", "example.org. MX")
OLD, NEW, OTHER = mx("old"), mx("new"), mx("other")
Opening = Callable[..., DatabaseJournal]
Elsewhere = Callable[[], AbstractContextManager[None]]


def carried_out(journal: DatabaseJournal, *pairs: tuple[Resource | None, Resource | None]) -> int:
    """One run that does these changes."""
    steps = [step(number, *pair) for number, pair in enumerate(pairs, 1)]
    run = journal.open_run(plan_of(*steps))
    journal.begin(run, steps)
    journal.done(run, steps)
    journal.close_run(run, "done")
    return run


def test_it_is_the_journal_that_the_engine_asks_for(journal: DatabaseJournal) -> None:
    port: Journal = journal
    assert port.baselines() == {}
    assert port.histories() == {}


def test_runs_count_from_one_in_each_move(journal: DatabaseJournal, opened: Opening) -> None:
    elsewhere = opened("example.com")
    with elsewhere.lock:
        assert [journal.open_run(plan_of()), journal.open_run(plan_of()), elsewhere.open_run(plan_of())] == [1, 2, 1]


def test_a_run_is_on_record_with_what_became_of_its_steps(journal: DatabaseJournal, clock: FakeClock) -> None:
    steps = [step(1, None, Mailbox(place=Place.NEW, name="ann@example.org")), step(2, OLD, NEW), step(3, OTHER, None)]
    plan = plan_of(*steps)
    run = journal.open_run(plan)
    began = clock.now()
    clock.advance(5)
    journal.begin(run, steps)
    journal.done(run, steps[:1])
    journal.failed(run, steps[1:2], "the name server refused it")
    clock.advance(5)
    journal.close_run(run, "failed")
    (record,) = journal.past.runs()
    assert (record.number, record.stage, record.outcome) == (1, Stage.CUTOVER, "failed")
    assert (record.done, record.failed, record.open) == (1, 1, 1)
    assert (record.started, record.ended) == (began, began + timedelta(seconds=10))
    assert (record.spec_digest, record.plan_digest) == ("spec-digest", plan_digest(plan))
    assert [s.state for s in journal.past.steps_of(run)] == [StepState.DONE, StepState.FAILED, StepState.OPEN]
    assert journal.past.steps_of(run)[1].why == "the name server refused it"
    assert [s.change for s in journal.past.steps_of(run)] == [s.change for s in steps]


def test_what_is_begun_is_there_for_the_next_process_at_once(journal: DatabaseJournal, opened: Opening) -> None:
    steps = [step(1, OLD, NEW)]
    run = journal.open_run(plan_of(*steps))
    journal.begin(run, steps)
    assert [s.change for s in opened().past.steps_of(run)] == [steps[0].change]


def test_a_run_without_steps_is_on_record_too(journal: DatabaseJournal) -> None:
    journal.close_run(journal.open_run(plan_of()), "done")
    (record,) = journal.past.runs()
    assert (record.done, record.failed, record.open, record.outcome) == (0, 0, 0, "done")


def test_a_run_that_never_ended_is_running_while_its_lock_is_held_and_interrupted_afterwards(
    opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    journal = opened()
    with elsewhere():
        journal.lock.acquire()
    journal.open_run(plan_of())
    journal.open_run(plan_of())
    assert [run.outcome for run in journal.past.runs()] == ["interrupted", "running"]
    clock.advance(121)
    assert [run.outcome for run in journal.past.runs()] == ["interrupted", "interrupted"]


def test_a_run_of_this_machine_is_running_as_long_as_its_process_lives(
    journal: DatabaseJournal, clock: FakeClock
) -> None:
    journal.open_run(plan_of())
    clock.advance(timedelta(days=1))
    assert [run.outcome for run in journal.past.runs()] == ["running"]
    journal.lock.release()
    assert [run.outcome for run in journal.past.runs()] == ["interrupted"]


def test_a_run_is_not_running_because_another_one_has_taken_over_its_lock(
    opened: Opening, clock: FakeClock, elsewhere: Elsewhere
) -> None:
    journal = opened()
    with elsewhere():
        journal.lock.acquire()
    journal.open_run(plan_of())
    clock.advance(121)
    with opened().lock:
        assert [run.outcome for run in journal.past.runs()] == ["interrupted"]


def test_the_steps_of_two_moves_in_one_database_are_kept_apart(journal: DatabaseJournal, opened: Opening) -> None:
    elsewhere = opened("example.com")
    carried_out(journal, (OLD, NEW))
    with elsewhere.lock:
        steps = [step(1, mx("a", domain="example.com"), mx("b", domain="example.com"))]
        run = elsewhere.open_run(plan_of(*steps, domain="example.com"))
        elsewhere.begin(run, steps)
        elsewhere.failed(run, steps, "refused")
    assert [s.state for s in journal.past.steps_of(1)] == [StepState.DONE]
    assert [s.state for s in elsewhere.past.steps_of(1)] == [StepState.FAILED]
    assert list(journal.baselines()) == [MX]
    assert len(journal.past.runs()) == len(elsewhere.past.runs()) == 1


def test_the_baseline_is_what_stood_before_the_first_change(journal: DatabaseJournal) -> None:
    carried_out(journal, (OLD, OTHER))
    carried_out(journal, (OTHER, NEW))
    assert journal.baselines() == {MX: OLD}


def test_what_this_move_created_has_the_baseline_absent(journal: DatabaseJournal) -> None:
    carried_out(journal, (None, NEW))
    assert journal.baselines() == {MX: None}


def test_putting_it_back_clears_the_baseline(journal: DatabaseJournal) -> None:
    carried_out(journal, (OLD, OTHER), (None, Mailbox(place=Place.NEW, name="ann@example.org")))
    carried_out(journal, (OTHER, NEW))
    carried_out(journal, (NEW, OLD), (Mailbox(place=Place.NEW, name="ann@example.org"), None))
    assert journal.baselines() == {}


def test_a_change_after_putting_it_back_starts_anew(journal: DatabaseJournal) -> None:
    carried_out(journal, (OLD, NEW))
    carried_out(journal, (NEW, OLD))
    carried_out(journal, (OTHER, NEW))
    assert journal.baselines() == {MX: OTHER}


def test_a_step_that_failed_left_what_stood_and_changes_no_baseline(journal: DatabaseJournal) -> None:
    steps = [step(1, OLD, NEW)]
    run = journal.open_run(plan_of(*steps))
    journal.begin(run, steps)
    journal.failed(run, steps, "refused")
    assert journal.baselines() == {}
    assert journal.past.written_steps() == ()


def test_a_step_that_was_begun_and_never_ended_may_have_happened(journal: DatabaseJournal) -> None:
    steps = [step(1, OLD, NEW)]
    journal.begin(journal.open_run(plan_of(*steps)), steps)
    assert journal.baselines() == {MX: OLD}
    assert [s.change for s in journal.past.written_steps()] == [steps[0].change]


def test_a_way_back_that_may_not_have_happened_keeps_the_baseline(journal: DatabaseJournal) -> None:
    carried_out(journal, (OLD, NEW))
    back = [step(1, NEW, OLD)]
    run = journal.open_run(plan_of(*back))
    journal.begin(run, back)
    assert journal.baselines() == {MX: OLD}
    journal.done(run, back)
    assert journal.baselines() == {}


def test_the_written_steps_can_be_asked_for_by_run_and_by_stage(journal: DatabaseJournal) -> None:
    carried_out(journal, (OLD, OTHER))
    steps = [step(1, OTHER, NEW, Stage.OVERLAP), step(2, NEW, OLD, Stage.HARDEN)]
    run = journal.open_run(plan_of(*steps))
    journal.begin(run, steps)
    journal.done(run, steps)
    past = journal.past
    assert [(s.run, s.number) for s in past.written_steps()] == [(1, 1), (2, 1), (2, 2)]
    assert [(s.run, s.number) for s in past.written_steps(runs={2})] == [(2, 1), (2, 2)]
    assert [(s.run, s.number) for s in past.written_steps(stages={Stage.CUTOVER, Stage.HARDEN})] == [(1, 1), (2, 2)]
    assert past.written_steps(runs=()) == ()


def test_a_step_that_has_ended_is_not_ended_otherwise_afterwards(journal: DatabaseJournal) -> None:
    run = carried_out(journal, (OLD, NEW))
    journal.failed(run, [step(1, OLD, NEW)], "too late")
    assert [s.state for s in journal.past.steps_of(run)] == [StepState.DONE]


def test_nothing_is_begun_without_the_lock(opened: Opening) -> None:
    journal = opened()
    with pytest.raises(Locked, match="does not hold the lock"):
        journal.open_run(plan_of())
    assert journal.past.runs() == ()


def test_a_run_that_lost_its_lock_begins_nothing_more(opened: Opening, clock: FakeClock, elsewhere: Elsewhere) -> None:
    journal = opened()
    with elsewhere():
        journal.lock.acquire()
    run = journal.open_run(plan_of())
    clock.advance(121)
    opened().lock.acquire()
    with pytest.raises(Locked, match="being changed by another run"):
        journal.begin(run, [step(1, OLD, NEW)])
    assert journal.past.steps_of(run) == ()


def test_beginning_a_step_keeps_the_lock(opened: Opening, clock: FakeClock, elsewhere: Elsewhere) -> None:
    journal = opened()
    with elsewhere():
        journal.lock.acquire()
    run = journal.open_run(plan_of())
    for number in range(1, 4):
        clock.advance(100)
        journal.begin(run, [step(number, OLD, NEW)])
    with pytest.raises(Locked):
        opened().lock.acquire()


def test_a_secret_is_refused_and_nothing_is_begun(journal: DatabaseJournal, place: Path) -> None:
    class Account(Resource):
        model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
        kind: ClassVar[str] = "account"
        password: Secret

    run = journal.open_run(plan_of())
    steps = [step(1, OLD, NEW), step(2, None, Account(place=Place.NEW, name="a", password=Secret("open sesame")))]
    with pytest.raises(TypeError, match="never written down"):
        journal.begin(run, steps)
    assert journal.past.steps_of(run) == ()
    assert b"sesame" not in place.read_bytes()


def test_a_mailbox_is_on_record_with_the_reference_to_its_password_alone(journal: DatabaseJournal, place: Path) -> None:
    ann = Mailbox(place=Place.NEW, name="ann@example.org", password="keep:ann@example.org")
    carried_out(journal, (None, ann))
    with sqlite3.connect(place) as connection:
        (after,) = connection.execute("SELECT after FROM reconciler_steps").fetchone()
    connection.close()
    assert set(Mailbox.model_fields) == {"place", "stored", "name", "display_name", "password"}
    assert '"password": "keep:ann@example.org"' in after
    assert journal.past.steps_of(1)[0].change.after == ann


def served(**by_server: RRset | None) -> dict[str, dict[str, RRset | None]]:
    return {f"{server}.example.net.": {"example.org. MX": rrset} for server, rrset in by_server.items()}


def test_a_value_is_noted_when_it_is_first_seen_and_not_again(journal: DatabaseJournal, clock: FakeClock) -> None:
    first = clock.now()
    for _ in range(3):
        journal.see(served(ns1=OLD), clock.now())
        clock.advance(60)
    (sighting,) = journal.histories()["example.org. MX"].sightings
    assert (sighting.server, sighting.value, sighting.first_seen) == ("ns1.example.net.", OLD, first)


def test_each_name_server_has_its_own_clock(journal: DatabaseJournal, clock: FakeClock) -> None:
    journal.see(served(ns1=mx("old", ttl=86400), ns2=mx("old", ttl=86400)), clock.now())
    clock.advance(10)
    journal.see(served(ns1=OLD, ns2=mx("old", ttl=86400)), clock.now())
    clock.advance(600)
    journal.see(served(ns1=OLD, ns2=OLD), clock.now())
    history = journal.histories()["example.org. MX"]
    assert history.lagging(OLD) == ()
    assert history.clear_at() == clock.now() + timedelta(seconds=86400)
    assert len(history.sightings) == 4


def test_that_there_is_no_such_rrset_is_a_sighting_too(journal: DatabaseJournal, clock: FakeClock) -> None:
    journal.see(served(ns1=None), clock.now())
    journal.see(served(ns1=None), clock.now())
    journal.see(served(ns1=NEW), clock.now())
    journal.see(served(ns1=None), clock.now())
    assert [s.value for s in journal.histories()["example.org. MX"].sightings] == [None, NEW, None]


def test_a_value_that_comes_back_is_seen_anew(journal: DatabaseJournal, clock: FakeClock) -> None:
    for value in (OLD, NEW, OLD):
        journal.see(served(ns1=value), clock.now())
        clock.advance(1)
    assert [s.value for s in journal.histories()["example.org. MX"].sightings] == [OLD, NEW, OLD]


def test_a_name_server_that_left_the_zone_is_noted_once_and_counts_again_when_it_is_back(
    journal: DatabaseJournal, clock: FakeClock
) -> None:
    for value in (served(ns1=OLD, ns2=OLD), served(ns1=OLD), served(ns1=OLD), served(ns1=OLD, ns2=NEW)):
        journal.see(value, clock.now())
        clock.advance(1)
    history = journal.histories()["example.org. MX"]
    assert [(s.value, s.gone) for s in history.sightings if s.server.startswith("ns2")] == [
        (OLD, False),
        (None, True),
        (NEW, False),
    ]
    assert history.serving == ("ns1.example.net.", "ns2.example.net.")


def test_a_clock_that_was_set_back_does_not_turn_the_order_round(journal: DatabaseJournal, clock: FakeClock) -> None:
    noon = clock.now()
    journal.see(served(ns1=OLD), noon)
    journal.see(served(ns1=NEW), noon - timedelta(hours=1))
    history = journal.histories()["example.org. MX"]
    assert [s.value for s in history.sightings] == [OLD, NEW]
    assert history.clear_at() == noon + timedelta(seconds=OLD.ttl)


def test_sightings_need_no_lock_and_are_kept_apart_by_move(
    journal: DatabaseJournal, opened: Opening, clock: FakeClock
) -> None:
    opened("example.com").see(served(ns1=NEW), clock.now())
    assert journal.histories() == {}


def test_a_batch_of_five_hundred_steps_is_one_commit(journal: DatabaseJournal, place: Path) -> None:
    run = journal.open_run(plan_of())
    people = [Mailbox(place=Place.NEW, name=f"user{n}@example.org") for n in range(500)]

    def commits() -> int:
        return int.from_bytes(place.read_bytes()[24:28], "big")  # file change counter, sqlite.org/fileformat.html

    before = commits()
    journal.begin(run, [step(n, None, person) for n, person in enumerate(people, 1)])
    assert commits() - before == 1
    assert [s.change.after for s in journal.past.steps_of(run)] == people
