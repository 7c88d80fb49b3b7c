"""What comes of a pass over the mail of a move."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.outcome import Outcome
from reconciler.model.event import Event


@dataclass(frozen=True, slots=True)
class CopyingBack(Event):
    """Only what arrived on the new server ``since`` then is copied back; None: the journal knows of no cutover."""

    since: datetime | None


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of each mailbox, in the order in which they ended, and when what is left would be through."""

    outcomes: tuple[Outcome, ...]
    stopped: bool
    forecast: Forecast
