"""What a check answers, and what that makes of a step."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Pass:
    """It holds; ``evidence`` says what was seen."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Warn:
    """It may run, but a person should know."""

    why: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: ask again at ``until``; None means the time is known after apply."""

    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Not without a person: ``why`` it matters, and what ``todo`` next."""

    why: str
    todo: str


Answer = Pass | Warn | Wait | Fail


class Status(StrEnum):
    """What may happen to a step, from the best to the worst."""

    RUN = "run"
    WAIT = "wait"
    BY_HAND = "by hand"
    BLOCKED = "blocked"

    @property
    def severity(self) -> int:
        """Position in the order above."""
        return list(Status).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status of one step. ``until`` only with WAIT; ``why`` for people, empty with RUN."""

    status: Status
    why: str = ""
    until: datetime | None = None


RUN = Verdict(Status.RUN)
