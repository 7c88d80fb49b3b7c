"""The journal of one move, written ahead of every write to the world."""

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata

from sqlalchemy import Connection, bindparam, func, insert, select, update

from reconciler.journal.database import Database
from reconciler.journal.lock import Lock
from reconciler.journal.moment import now_in
from reconciler.journal.past import Past
from reconciler.journal.tables import GONE, meta, runs, sightings
from reconciler.journal.tables import steps as _steps
from reconciler.model.address import Address
from reconciler.model.codec import encode_change, encode_resource, plan_digest
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History
from reconciler.ports import Clock


class DatabaseJournal:
    """A ``ports.Journal`` in a database.

    A run is opened and a step begun only while ``lock`` is held, which is seen in the same transaction: a run that
    slept past its lease and lost it to another writes nothing more. Every method raises JournalError where the
    journal cannot be read or written.
    """

    def __init__(self, database: Database, domain: str, past: Past, lock: Lock, clock: Clock) -> None:
        """``past`` and ``lock`` are of the same database and domain."""
        self.past = past
        self.lock = lock
        self._database = database
        self._domain = domain
        self._clock = clock

    def open_run(self, plan: Plan) -> int:
        """Begin a run and give its number; they count from 1 in each move.

        Raises:
            Locked: this run does not hold the lock.

        """
        values: dict[str, object] = {
            "domain": self._domain,
            "intent": plan.intent.value,
            "stage": plan.stage.label,
            "spec_digest": plan.spec_digest,
            "plan_digest": plan_digest(plan),
            "tool_version": metadata.version("reconciler"),
            "host": platform.node(),
        }
        with self._database.writing() as connection:
            self.lock.hold(connection)
            values["started"] = now_in(connection, self._clock)  # compared with the lock's own times
            last = select(func.coalesce(func.max(runs.c.number), 0)).where(runs.c.domain == self._domain)
            number: int = connection.execute(last).scalar_one() + 1
            connection.execute(insert(runs).values(number=number, **values))
        return number

    def begin(self, run: int, steps: Sequence[Step]) -> None:
        """Record, durably and all or none, what is about to be done, with the values before.

        Raises:
            Locked: this run does not hold the lock.

        """
        now = self._clock.now()
        rows = [{**self._row(step), "run": run, "begun": now} for step in steps]
        with self._database.writing() as connection:
            self.lock.hold(connection)
            connection.execute(insert(_steps), rows)

    def done(self, run: int, steps: Sequence[Step]) -> None:
        """Record that it was done, and what was read back: the ``after`` of the steps."""
        rows = [{"this_number": step.number, "this_after": encode_change(step.change)["after"]} for step in steps]
        self._end(run, rows, {"done": self._clock.now(), "after": bindparam("this_after")})

    def failed(self, run: int, steps: Sequence[Step], why: str) -> None:
        """Record that it could not be done, and that what stood before still stands."""
        rows = [{"this_number": step.number} for step in steps]
        self._end(run, rows, {"failed": self._clock.now(), "why": why})

    def close_run(self, run: int, outcome: str) -> None:
        """End a run."""
        this = (runs.c.domain == self._domain) & (runs.c.number == run)
        with self._database.writing() as connection:
            ended = now_in(connection, self._clock)
            connection.execute(update(runs).where(this).values(ended=ended, outcome=outcome))

    def baselines(self) -> Mapping[Address, Resource | None]:
        """For each address that this move changed and has not put back: the value before the first change."""
        return self.past.baselines()

    def see(self, served: Mapping[str, Mapping[str, RRset | None]], at: datetime) -> None:
        """Note what each name server serves; a new sighting only where it differs from the last one.

        A server that was seen before and is not among those of the zone any more is noted as gone. Where the clock was
        set back since, the last sighting's time is kept: caches are waited for too long, never too short. This needs no
        lock on the move: those who note sightings at once in one database take turns.
        """
        with self._database.writing() as connection:
            connection.execute(select(meta).with_for_update())  # SQLite lets nobody else write anyway
            last = self._last_sightings(connection)
            rows = []
            for server, names in served.items():
                for name, rrset in names.items():
                    value = encode_resource(rrset) if rrset else None
                    known, first_seen = last.get((server, name), (..., at))
                    if known != value:
                        rows.append({"server": server, "name": name, "value": value, "first_seen": max(at, first_seen)})
            watched = {name for names in served.values() for name in names}
            for (server, name), (known, first_seen) in last.items():
                if server not in served and name in watched and known != GONE:
                    rows.append({"server": server, "name": name, "value": GONE, "first_seen": max(at, first_seen)})
            if rows:
                connection.execute(insert(sightings).values(domain=self._domain), rows)

    def histories(self) -> Mapping[str, History]:
        """RRset name to its sightings."""
        return self.past.histories()

    def hold(self) -> None:
        """Make sure that the lock is still held.

        Raises:
            Locked: it is not.

        """
        self.lock.hold()

    def _row(self, step: Step) -> dict[str, object]:
        change = encode_change(step.change)
        place, kind, name = step.change.address
        return {
            "domain": self._domain,
            "number": step.number,
            "place": place.value,
            "kind": kind,
            "name": name,
            "stage": step.stage.label,
            "verb": change["verb"],
            "before": change["before"],
            "after": change["after"],
        }

    def _end(self, run: int, rows: Sequence[Mapping[str, object]], values: Mapping[str, object]) -> None:
        still_open = _steps.c.done.is_(None) & _steps.c.failed.is_(None)
        these = (
            (_steps.c.domain == self._domain) & (_steps.c.run == run) & (_steps.c.number == bindparam("this_number"))
        )
        with self._database.writing() as connection:
            connection.execute(update(_steps).where(these & still_open).values(**values), rows)

    def _last_sightings(self, connection: Connection) -> dict[tuple[str, str], tuple[object, datetime]]:
        latest = select(func.max(sightings.c.id)).where(sightings.c.domain == self._domain)
        query = select(sightings).where(sightings.c.id.in_(latest.group_by(sightings.c.server, sightings.c.name)))
        return {(row.server, row.name): (row.value, row.first_seen) for row in connection.execute(query)}
