"""What happens before the first mailbox of a pass is copied."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.app.copying.forecast import Forecast, Load
from reconciler.model.event import Event
from reconciler.model.last_pass import LastPass


@dataclass(frozen=True, slots=True)
class Measuring(Event):
    """So many mailboxes that were never copied to the end are measured now."""

    mailboxes: int


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """What each of them has to bring, by address."""

    loads: Mapping[str, Load]


@dataclass(frozen=True, slots=True)
class PassBegun(Event):
    """A pass over so many mailboxes begins; ``passes`` by address are the last ones that got to their end."""

    mailboxes: int
    forecast: Forecast
    passes: Mapping[str, LastPass] = field(default_factory=dict)
