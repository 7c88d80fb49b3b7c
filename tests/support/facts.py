"""Facts for checks, built from the few values that a test is about."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from reconciler.extend import Facts
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.last_pass import LastPass
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History, Sighting
from reconciler.model.stage import Stage
from tests.support.clock import MONDAY_MORNING


def facts(
    stage: Stage,
    observed: State,
    *changes: Change,
    expected: State | None = None,
    end: State | None = None,
    histories: Mapping[str, History] | None = None,
    baseline: Mapping[Address, Resource | None] | None = None,
    now: datetime = MONDAY_MORNING,
    copies: Mapping[str, LastPass] | None = None,
) -> Facts:
    """The way into ``stage`` by ``changes``: from ``expected`` or, without earlier steps, from the world as it is.

    ``end``: where the whole plan leads, if steps of other stages follow.
    """
    start = observed if expected is None else expected
    desired = advanced(start, changes)
    return Facts(
        now=now,
        stage=stage,
        observed=observed,
        expected=start,
        desired=desired,
        end=desired if end is None else end,
        changes=changes,
        baseline=baseline or {},
        histories=histories or {},
        copies=copies or {},
    )


def advanced(start: State, changes: Iterable[Change]) -> dict[Address, Resource]:
    """The state once the changes are done."""
    after = dict(start)
    for change in changes:
        after.pop(change.address, None)
        if change.after is not None:
            after[change.address] = change.after
    return after


def seen(*sightings: tuple[str, float, RRset | None], since: datetime = MONDAY_MORNING) -> History:
    """A history of (name server, seconds after ``since``, value), all of one RRset."""
    name = next(value.name for _, _, value in sightings if value)
    return History.of(Sighting(server, name, value, since + timedelta(seconds=at)) for server, at, value in sightings)
