"""What the journal gives to people and to rollback: runs, and the steps that were begun in them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reconciler.model.change import Change
from reconciler.model.plan import Intent
from reconciler.model.stage import Stage

RUNNING: Final = "running"
INTERRUPTED: Final = "interrupted"


class StepState(StrEnum):
    """What is known of a step that was begun; an OPEN one may have happened or not."""

    DONE = "done"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of apply or rollback.

    ``outcome`` is what the run said when it ended (``done``, ``stopped``, ``failed``, ``stale``); one that never said
    is ``running`` while its lock is held and ``interrupted`` afterwards. The counts are of steps by what became of
    them.
    """

    number: int
    intent: Intent
    stage: Stage
    started: datetime
    ended: datetime | None
    outcome: str
    done: int
    failed: int
    open: int
    host: str
    tool_version: str
    spec_digest: str
    plan_digest: str


@dataclass(frozen=True, slots=True)
class BegunStep:
    """One step as it was journalled ahead of its write, and what became of it; ``why`` only of a failed one.

    ``failed`` means that what stood before still stands.
    """

    run: int
    number: int
    stage: Stage
    change: Change
    begun: datetime
    done: datetime | None
    failed: datetime | None
    why: str

    @property
    def state(self) -> StepState:
        """What is known of it."""
        if self.done:
            return StepState.DONE
        return StepState.FAILED if self.failed else StepState.OPEN
