"""How a person wants a plan carried out and told: with or without a question, as text or as JSON lines."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reconciler.app.applying import Terms, agreed
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.formats import TEXT
from reconciler.cli.speech.progress import View, following
from reconciler.cli.stopping import stoppable
from reconciler.errors import ReconcilerError
from reconciler.model.event import Events
from reconciler.model.plan import Intent, Plan
from reconciler.ports import Clock


@dataclass(frozen=True, slots=True)
class Manner:
    """``sure``: nobody is to be asked."""

    console: Console
    sure: bool = False
    as_json: bool = False
    form: str = TEXT
    verbose: bool = False

    @property
    def terms(self) -> Terms:
        """A person is asked, and can stop it."""
        return Terms(agreed if self.sure else self._ask, partial(stoppable, self.console.say))

    def following(self, path: Path, clock: Clock) -> AbstractContextManager[Events]:
        """Whoever tells how it goes with the move of this spec."""
        return following(self.console, clock, View(str(path), self.form, self.verbose), as_json=self.as_json)

    def _ask(self, plan: Plan) -> None:
        number = len(plan.runnable)
        act = "Roll back" if plan.intent is Intent.ROLLBACK else "Apply"
        question = f"{act} {number:,} {'change' if number == 1 else 'changes'} of {plan.domain}?"
        if not self.console.confirm(question, instead="give --yes to go on without a question; nothing was changed"):
            raise ReconcilerError("not confirmed; nothing was changed")
