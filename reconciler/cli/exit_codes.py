"""Exit codes: what a script learns of a run. Waiting is not a failure."""

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from reconciler.errors import ReconcilerError, StalePlan
from reconciler.model.plan import Plan
from reconciler.model.verdict import Status

if TYPE_CHECKING:
    from reconciler.app.applying import Round  # brings all that a run needs


class Code(IntEnum):
    """What the process returns."""

    DONE = 0
    """Nothing to do, or all done."""
    FAILED = 1
    """An error; also a wrong command line, and a run that a person stopped."""
    CHANGES = 2
    """Changes are planned that can run now."""
    WAITING = 3
    """All that is left waits until its time."""
    BLOCKED = 4
    """Something is blocked, or is done by hand, and nothing can run."""
    STALE = 5
    """The world or the spec is not what the plan was made for."""


_FROM_BAD_TO_GOOD: Final = (Code.FAILED, Code.STALE, Code.BLOCKED, Code.CHANGES, Code.WAITING, Code.DONE)


def of_plan(plan: Plan) -> Code:
    """What the plan asks for."""
    if not plan.steps:
        return Code.DONE
    if plan.runnable:
        return Code.CHANGES
    if plan.with_status(Status.BLOCKED) or plan.with_status(Status.BY_HAND):
        return Code.BLOCKED
    return Code.WAITING


def of_round(ended: "Round") -> Code:
    """What is left to do when a plan was carried out."""
    return Code.STALE if ended.undone else of_plan(ended.left)


def of_error(error: ReconcilerError) -> Code:
    """What the error means for a script."""
    return Code.STALE if isinstance(error, StalePlan) else Code.FAILED


def worst(codes: Iterable[Code]) -> Code:
    """Of several moves the one that needs a person most."""
    return min(codes, key=_FROM_BAD_TO_GOOD.index, default=Code.DONE)
