"""The last lines of a plan: how much of it runs now, and what to do next."""

from reconciler.model.plan import Intent, Plan
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.wording.printable import printable
from reconciler.wording.times import Local, due, in_utc


def counts(plan: Plan, local: Local = in_utc) -> str:
    """``12 to run now, 1 waits until 2026-11-24 14:05 UTC, 0 blocked``; what is by hand only where there is some."""
    run, waiting, by_hand, blocked = (len(plan.with_status(status)) for status in Status)
    until = f" until {due(plan.next_time, local)}" if waiting and plan.next_time else ""
    parts = [f"{run:,} to run now", f"{waiting:,} {'waits' if waiting == 1 else 'wait'}{until}"]
    parts += [f"{by_hand:,} by hand"] if by_hand else []
    return ", ".join([*parts, f"{blocked:,} blocked"])


def next_thing(plan: Plan, spec: str = "", local: Local = in_utc) -> str:
    """One sentence; ``spec`` is the path by which the user named the spec."""
    if not plan.steps:
        return _settled(plan)
    if plan.runnable:
        return f"Next: {_command(plan, spec)}"
    if plan.with_status(Status.BLOCKED):
        return "Next: resolve what fails above, then plan again"
    if plan.with_status(Status.BY_HAND):
        return "Next: carry out the steps by hand, then plan again"
    if plan.next_time:
        act = "roll back" if plan.intent is Intent.ROLLBACK else "apply"
        return f"Next: {act} again after {due(plan.next_time, local)}"
    return "Next: plan again once what it waits for is there"


def _command(plan: Plan, spec: str) -> str:
    command = "rollback" if plan.intent is Intent.ROLLBACK else "apply"
    return f"reconciler {command} {printable(spec)}".rstrip()


def _settled(plan: Plan) -> str:
    if plan.intent is Intent.ROLLBACK:
        return "Nothing to do: everything stands as it stood before"
    if plan.stage is Stage.DECOMMISSION:
        return "Nothing to do: the move is complete"
    return f"Nothing to do; the next stage is {Stage(plan.stage + 1).label}"
