"""What apply and rollback have in common: show the plan, ask, carry it out, and read again whether it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler.app.clock import local
from reconciler.app.session import Session
from reconciler.cli.exit_codes import Code, of_plan
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.formats import TEXT, shown
from reconciler.cli.speech.progress import Events, following
from reconciler.cli.stopping import stoppable
from reconciler.engine.apply import Outcome, apply
from reconciler.errors import ReconcilerError
from reconciler.model.address import Address
from reconciler.model.codec import encode_plan
from reconciler.model.plan import Intent, Plan, Step
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.phrases.naming import thing
from reconciler.render.text import Look
from reconciler.wording.machine_times import encoded

if TYPE_CHECKING:
    from reconciler.journal.journal import DatabaseJournal


@dataclass(frozen=True, slots=True)
class Manner:
    """How a person wants it done. ``sure``: nobody is to be asked; ``exactly``: this plan and nothing after it."""

    sure: bool = False
    exactly: bool = False
    as_json: bool = False
    form: str = TEXT
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Doing:
    """A plan about to be carried out; ``again`` reads everything and plans once more.

    ``rounds``: how often at most it goes on with what waited for nothing but its own changes.
    """

    session: Session
    journal: "DatabaseJournal"
    plan: Plan
    again: Callable[[], Plan]
    untouched: int | None
    console: Console
    manner: Manner
    rounds: int = len(Stage)

    def carry_out(self) -> Code:
        """Do it; the exit code says what is left.

        Raises:
            ReconcilerError: nobody could be asked, the answer was not yes, or a step could not be done.

        """
        self._show()
        if not self.plan.runnable:
            return self._ended(self.plan, None)
        if not self.manner.sure:
            self._ask()
        try:
            outcome = self._run()
        except ReconcilerError as error:
            self._event("failed", error=str(error))
            raise
        left = self.again()
        code = self._ended(left, outcome)
        return replace(self, plan=left, rounds=self.rounds - 1).carry_out() if self._goes_on(code, outcome) else code

    def _goes_on(self, code: Code, outcome: Outcome) -> bool:
        """Whether what was held back waited for nothing but these changes, and can run now."""
        return code is Code.CHANGES and bool(outcome.written) and not self.manner.exactly and self.rounds > 1

    def _show(self) -> None:
        path = str(self.session.move.path)
        look = Look(
            self.console.style, self.manner.verbose, local, path, self.untouched, advises=not self.plan.runnable
        )
        if self.manner.as_json:
            self._event("plan", plan=encode_plan(self.plan))
        else:
            self.console.result(shown(self.plan, self.manner.form, look))

    def _ask(self) -> None:
        number = len(self.plan.runnable)
        act = "Roll back" if self.plan.intent is Intent.ROLLBACK else "Apply"
        question = f"{act} {number:,} {'change' if number == 1 else 'changes'} of {self.plan.domain}?"
        if not self.console.confirm(question, instead="give --yes to go on without a question; nothing was changed"):
            raise ReconcilerError("not confirmed; nothing was changed")

    def _run(self) -> Outcome:
        manner, console = self.manner, self.console
        with (
            self.journal.lock,
            following(self.plan, console, self.session.move.clock, as_json=manner.as_json) as progress,
            stoppable(console.say) as stop,
        ):
            return apply(self.plan, self.session.hands(self.journal, progress, stop), self._judge)

    def _judge(self, stage: Stage) -> Mapping[Address, Step]:
        return {step.change.address: step for step in self.again().steps if step.stage is stage}

    def _ended(self, left: Plan, outcome: Outcome | None) -> Code:
        code = _code(left, outcome)
        if self.manner.as_json:
            self._event("finished", outcome=_numbers(outcome), left=_left(left), exit_code=int(code))
        elif outcome:
            self.console.result(f"{_verified(left, outcome, code)}\n")
        return code

    def _event(self, name: str, **content: Any) -> None:
        if self.manner.as_json:
            Events(self.console, self.session.move.clock).event(name, **content)


def _code(left: Plan, outcome: Outcome | None) -> Code:
    """A step that could run after all has run and been read back is one that somebody else has undone meanwhile."""
    code = of_plan(left)
    return Code.STALE if code is Code.CHANGES and outcome and not outcome.held else code


def _numbers(outcome: Outcome | None) -> dict[str, list[int]]:
    if outcome is None:
        return {"written": [], "already": [], "held": []}
    held = [step.number for step in outcome.held]
    return {"written": list(outcome.written), "already": list(outcome.already), "held": held}


def _left(plan: Plan) -> dict[str, Any]:
    numbers = {status.value: len(plan.with_status(status)) for status in Status}
    return {**numbers, "next_time": encoded(plan.next_time)}


def _verified(left: Plan, outcome: Outcome, code: Code) -> str:
    """What reading everything again has shown."""
    already = f", {len(outcome.already):,} were done already" if outcome.already else ""
    done = f"{len(outcome.written):,} written{already}"
    if not left.steps:
        following = next_thing(left)
        return f"{done}. Read again: {following[0].lower()}{following[1:]}"
    first = next((step for step in left.steps if step.verdict.status is not Status.RUN), left.steps[0])
    why = f": {first.verdict.why}" if first.verdict.why else ""
    lines = [
        f"{done}. Read again: {counts(left, local)}",
        f"  {thing(first.change.address)}{why}",
    ]
    if code is Code.STALE:
        lines.append("  what was written no longer stands: something else changes it too; plan and see the difference")
    elif left.next_time and code is Code.WAITING:
        lines.append(next_thing(left, local=local))
    return "\n".join(lines)
