"""How the mail steps of a plan are carried out."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.mailcopy.turns import ALONE, Turns
from reconciler.model.event import Events


@dataclass(frozen=True, slots=True)
class Carrier:
    """``events`` hear of it, ``stop`` is asked between two batches of messages, ``turns`` are this run's."""

    events: Events
    stop: Callable[[], bool]
    turns: Turns = ALONE
