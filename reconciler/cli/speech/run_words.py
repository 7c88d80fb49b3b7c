"""What is said of a run, in one line or as data: its steps, its mail, and what it has left."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.app.applying import Round
from reconciler.app.clock import local
from reconciler.engine.apply import Outcome
from reconciler.mailcopy.job import Progress
from reconciler.model.plan import Plan, Step
from reconciler.model.verdict import Status
from reconciler.ports import Clock
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.phrases.naming import PLACES, thing
from reconciler.wording.lists import sentences
from reconciler.wording.machine_times import encoded
from reconciler.wording.printable import printable

_SILENCE: Final = timedelta(seconds=5)


def named(steps: Sequence[Step]) -> str:
    """``+ mailbox ann@example.org (new server)``, and how many more are in the same write."""
    first = steps[0].change
    more = f" and {len(steps) - 1:,} more" if len(steps) > 1 else ""
    return f"{first.verb.value} {thing(first.address)}{more} ({PLACES[first.address.place]})"


def brief(step: Step) -> dict[str, Any]:
    """A step as data."""
    change = step.change
    return {"number": step.number, "address": str(change.address), "verb": change.verb.value}


def numbers(outcome: Outcome | None) -> dict[str, list[int]]:
    """Which steps were written, found done and held back, by number."""
    if outcome is None:
        return {"written": [], "already": [], "held": []}
    held = [step.number for step in outcome.held]
    return {"written": list(outcome.written), "already": list(outcome.already), "held": held}


def left_data(plan: Plan) -> dict[str, Any]:
    """How much a plan leaves to do, and when it can go on."""
    of_each = {status.value: len(plan.with_status(status)) for status in Status}
    return {**of_each, "next_time": encoded(plan.next_time)}


def verified(ended: Round, outcome: Outcome) -> str:
    """What reading everything again has shown."""
    left = ended.left
    already = f", {len(outcome.already):,} were done already" if outcome.already else ""
    done = f"{len(outcome.written):,} written{already}"
    if not left.steps:
        following = next_thing(left)
        return f"{done}. Read again: {following[0].lower()}{following[1:]}"
    first = next((step for step in left.steps if step.verdict.status is not Status.RUN), left.steps[0])
    why = f": {first.verdict.why}" if first.verdict.why else ""
    lines = [
        f"{done}. Read again: {counts(left, local)}",
        f"  {thing(first.change.address)}{printable(why)}",
    ]
    blocked = left.with_status(Status.BLOCKED) or left.with_status(Status.BY_HAND)
    if ended.undone:
        lines.append("  what was written no longer stands: something else changes it too; plan and see the difference")
    elif left.next_time and not left.runnable and not blocked:
        lines.append(next_thing(left, local=local))
    return "\n".join(lines)


class MailTalk:
    """A word now and then on a mailbox that takes long; one thread at a time asks."""

    def __init__(self, clock: Clock) -> None:
        """Begin in silence."""
        self._clock = clock
        self._last: datetime = clock.now()

    def words(self, progress: Progress) -> str:
        """What to say of it now; empty while the last word is not old enough."""
        now = self._clock.now()
        if now - self._last < _SILENCE:
            return ""
        self._last = now
        figures = f"{progress.messages:,} of {progress.of_messages:,} messages" if progress.of_messages else ""
        return f"mail of {progress.account}: {sentences(progress.state.value, figures, printable(progress.words))}"
