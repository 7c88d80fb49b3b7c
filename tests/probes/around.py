"""What a probe is given, built from the few values that a test is about."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from reconciler.extend import Surroundings
from reconciler.model.address import Place
from reconciler.model.resource import Resource, State
from reconciler.model.stage import Stage
from reconciler.transports.secrets import ReferencedSecrets
from tests.support.clock import MONDAY_MORNING
from tests.support.specs import state


def around(
    *world: Resource,
    zones: Mapping[Stage, State] | None = None,
    base: Path = Path("/nowhere"),
    now: datetime = MONDAY_MORNING,
    environment: Mapping[str, str] | None = None,
) -> Surroundings:
    """The world as read, all of its records ours; with ``zones``, what the zone will be at each stage on the way."""
    observed = state(*world)
    claimed = frozenset(address.name for address in observed if address.place is Place.DNS)
    return Surroundings(
        now, observed, zones or {}, claimed, base, ReferencedSecrets(base, environment=environment or {})
    )
