"""What a probe is given, built from the few values that a test is about."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from reconciler.backends.secrets import ReferencedSecrets
from reconciler.extend import Surroundings
from reconciler.model.resource import Resource, State
from reconciler.model.stage import Stage
from tests.support.clock import MONDAY_MORNING
from tests.support.specs import state


def around(
    *world: Resource,
    zones: Mapping[Stage, State] | None = None,
    base: Path = Path("/nowhere"),
    now: datetime = MONDAY_MORNING,
    environment: Mapping[str, str] | None = None,
) -> Surroundings:
    """The world as read; with ``zones``, what the zone will be at each stage on the way."""
    return Surroundings(now, state(*world), zones or {}, base, ReferencedSecrets(base, environment=environment or {}))
