"""What one move's journal says of the past: runs, steps, what stood before, and sightings."""

from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, func, select

from reconciler.errors import JournalError
from reconciler.journal.database import Database
from reconciler.journal.lock import is_held
from reconciler.journal.moment import now_in
from reconciler.journal.records import INTERRUPTED, RUNNING, BegunStep, Run
from reconciler.journal.tables import GONE, locks, runs, sightings, steps
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.codec import decode_resource
from reconciler.model.plan import Intent
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History, Sighting
from reconciler.model.stage import Stage
from reconciler.ports import Clock


class Past:
    """Reads only; every method is one consistent view."""

    def __init__(self, database: Database, domain: str, types: Mapping[str, type[Resource]], clock: Clock) -> None:
        """``types`` maps each kind to its class."""
        self._database = database
        self._domain = domain
        self._types = types
        self._clock = clock

    def runs(self) -> tuple[Run, ...]:
        """Every run, oldest first."""
        counts = (
            select(
                steps.c.run,
                func.count().label("begun"),
                func.count(steps.c.done).label("done"),
                func.count(steps.c.failed).label("failed"),
            )
            .where(steps.c.domain == self._domain)
            .group_by(steps.c.run)
            .subquery()
        )
        query = (
            select(runs, counts.c.begun, counts.c.done, counts.c.failed)
            .outerjoin(counts, counts.c.run == runs.c.number)
            .where(runs.c.domain == self._domain)
            .order_by(runs.c.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            lock = connection.execute(select(locks).where(locks.c.domain == self._domain)).one_or_none()
            now = now_in(connection, self._clock)
        is_alive = lock is not None and is_held(lock, now) and bool(rows) and lock.since <= rows[-1].started
        unended = [INTERRUPTED] * (len(rows) - 1) + [RUNNING if is_alive else INTERRUPTED]  # only the last can be alive
        return tuple(map(_run, rows, unended))

    def steps_of(self, run: int) -> tuple[BegunStep, ...]:
        """The steps that were begun in a run, in that order."""
        return tuple(self._steps(select(steps).where(steps.c.run == run)))

    def written_steps(
        self, runs: Collection[int] | None = None, stages: Collection[Stage] | None = None
    ) -> tuple[BegunStep, ...]:
        """The steps of these runs and stages (all, if silent) that were or may have been written, newest last.

        The steps of a rollback are among them: what it put back was written too.
        """
        query = select(steps).where(steps.c.failed.is_(None))
        if runs is not None:
            query = query.where(steps.c.run.in_(runs))
        if stages is not None:
            query = query.where(steps.c.stage.in_([stage.label for stage in stages]))
        return tuple(self._steps(query))

    def baselines(self) -> Mapping[Address, Resource | None]:
        """For each address that was changed and not put back: the value before the first change.

        A step that is neither done nor failed may have happened: it can make an address changed, never put back. What a
        rollback was the first to touch stood there by somebody else's hand.
        """
        columns = (steps.c.place, steps.c.kind, steps.c.name, steps.c.before, steps.c.after, steps.c.done)
        of_run = (runs.c.domain == steps.c.domain) & (runs.c.number == steps.c.run)
        query = select(*columns, runs.c.intent).join(runs, of_run)
        query = query.where(steps.c.domain == self._domain, steps.c.failed.is_(None)).order_by(steps.c.id)
        first: dict[Address, Any] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                address = Address(Place(row.place), row.kind, row.name)
                if address not in first and row.intent == Intent.ROLLBACK:
                    continue
                stood = first.setdefault(address, row.before)
                if row.done and row.after == stood:
                    del first[address]
        return {address: self._decoded(value) for address, value in first.items()}

    def histories(self) -> dict[str, History]:
        """RRset name to its sightings."""
        query = select(sightings).where(sightings.c.domain == self._domain).order_by(sightings.c.name, sightings.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {
            name: History.of(self._sighting(name, row) for row in group)
            for name, group in groupby(rows, key=lambda row: row.name)
        }

    def _steps(self, query: Select[Any]) -> Iterator[BegunStep]:
        with self._database.reading() as connection:
            rows = connection.execute(query.where(steps.c.domain == self._domain).order_by(steps.c.id)).all()
        for row in rows:
            change = Change(self._decoded(row.before), self._decoded(row.after))
            stage = Stage.of(row.stage)
            yield BegunStep(row.run, row.number, stage, change, row.begun, row.done, row.failed, row.why)

    def _decoded(self, value: Mapping[str, Any] | None) -> Resource | None:
        if value is None:
            return None
        try:
            return decode_resource(value, self._types)
        except ValueError as error:
            msg = (
                f"the journal {self._database.name} holds a value that cannot be read: {error}; use the version of "
                "reconciler that has written it"
            )
            raise JournalError(msg) from error

    def _sighting(self, name: str, row: Row[Any]) -> Sighting:
        gone = row.value == GONE
        return Sighting(row.server, name, None if gone else self._rrset(row.value), row.first_seen, gone)

    def _rrset(self, value: Mapping[str, Any] | None) -> RRset | None:
        resource = self._decoded(value)
        assert resource is None or isinstance(resource, RRset)
        return resource


def _run(row: Row[Any], unended: str) -> Run:
    begun, done, failed = row.begun or 0, row.done or 0, row.failed or 0
    return Run(
        number=row.number,
        intent=Intent(row.intent),
        stage=Stage.of(row.stage),
        started=row.started,
        ended=row.ended,
        outcome=row.outcome or unended,
        done=done,
        failed=failed,
        open=begun - done - failed,
        host=row.host,
        tool_version=row.tool_version,
        spec_digest=row.spec_digest,
        plan_digest=row.plan_digest,
    )
