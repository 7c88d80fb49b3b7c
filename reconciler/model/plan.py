"""A plan is data: ordered, printable, hashed, and bound to what was observed."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Answer, Fail, Status, Verdict, Wait, Warn


class Intent(StrEnum):
    """Where the steps come from: a spec's stage, or a journal's snapshot."""

    APPLY = "apply"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Step:
    """One change at its place in the order.

    ``stage`` is the stage that the step is part of. ``after`` holds the numbers of earlier steps without which it
    must not run. ``note`` is for people: what to type, for a step by hand.
    """

    number: int
    stage: Stage
    change: Change
    after: tuple[int, ...] = ()
    verdict: Verdict = RUN
    note: str = ""

    def judged(self, verdict: Verdict) -> "Step":
        """The same step with another verdict."""
        return replace(self, verdict=verdict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check answered on the way into one stage."""

    check: str
    title: str
    stage: Stage
    answer: Answer


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps to one stage, and what the checks said."""

    domain: str
    stage: Stage
    made_at: datetime
    spec_digest: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...] = ()
    intent: Intent = Intent.APPLY

    def with_status(self, status: Status) -> tuple[Step, ...]:
        """The steps that have it."""
        return tuple(step for step in self.steps if step.verdict.status is status)

    @property
    def runnable(self) -> tuple[Step, ...]:
        """What apply would begin with."""
        return self.with_status(Status.RUN)

    @property
    def next_time(self) -> datetime | None:
        """The earliest known time at which a step may go on; where none has one, the earliest of a check.

        A step waits for all its checks: the first of them to hold lets nothing run.
        """
        steps = [s.verdict.until for s in self.steps if s.verdict.until]
        checks = [f.answer.until for f in self.findings if isinstance(f.answer, Wait) and f.answer.until]
        return min(steps or checks, default=None)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should know though it stops nothing."""
        return tuple(f for f in self.findings if isinstance(f.answer, Warn))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What a person must decide."""
        return tuple(f for f in self.findings if isinstance(f.answer, Fail))
