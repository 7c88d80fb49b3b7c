"""The format of a saved plan, version 2: what a file must hold, whoever wrote it.

Whoever applies one plans anew and does only what both plans say, so that nothing of it is taken on trust.

A reader ignores keys that it does not know, because a later minor version may add some.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reconciler.model.plan import Finding, Intent
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Status, Verdict, Wait, Warn


class _Saved(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


StageWord = Literal["prepare", "overlap", "cutover", "harden", "decommission"]


class SavedVerdict(_Saved):
    """What may happen to a step."""

    status: Status
    why: str
    until: AwareDatetime | None

    def verdict(self) -> Verdict:
        """As a value."""
        return Verdict(self.status, self.why, self.until)


class SavedStep(_Saved):
    """One change at its place in the order; ``before`` and ``after`` are resources, null means absent."""

    number: int
    stage: StageWord
    address: str
    verb: Literal["+", "~", "-"]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    after_steps: tuple[int, ...]
    verdict: SavedVerdict
    note: str


class SavedPass(_Saved):
    """It holds."""

    answer: Literal["pass"]
    evidence: str

    def value(self) -> Answer:
        """As a value."""
        return Pass(self.evidence)


class SavedWarn(_Saved):
    """It may run, but a person should know."""

    answer: Literal["warn"]
    why: str
    todo: str

    def value(self) -> Answer:
        """As a value."""
        return Warn(self.why, self.todo)


class SavedWait(_Saved):
    """Not yet; ``until`` null means that the time is known after apply."""

    answer: Literal["wait"]
    until: AwareDatetime | None
    why: str

    def value(self) -> Answer:
        """As a value."""
        return Wait(self.until, self.why)


class SavedFail(_Saved):
    """Not without a person."""

    answer: Literal["fail"]
    why: str
    todo: str

    def value(self) -> Answer:
        """As a value."""
        return Fail(self.why, self.todo)


class SavedFinding(_Saved):
    """What one check answered on the way into one stage."""

    check: str
    title: str
    stage: StageWord
    answer: Annotated[SavedPass | SavedWarn | SavedWait | SavedFail, Field(discriminator="answer")]

    def finding(self) -> Finding:
        """As a value."""
        return Finding(self.check, self.title, Stage.of(self.stage), self.answer.value())


class SavedPlan(_Saved):
    """A plan as it is saved, reviewed and applied."""

    format_version: str
    """A reader takes every version with its own major number."""
    tool_version: str
    domain: str
    intent: Intent
    stage: StageWord
    made_at: AwareDatetime
    spec_digest: str
    steps: tuple[SavedStep, ...]
    findings: tuple[SavedFinding, ...]
    digest: str
    """SHA-256, in hex, by which a plan is approved: over ``spec_digest`` and the ``address``, ``before`` and
    ``after`` of each step in order, as JSON with sorted keys, no white space and ASCII escapes."""
