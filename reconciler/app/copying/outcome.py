"""One mailbox after a pass, and what all of them together mean."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.cli.exit_codes import Code, worst
from reconciler.mailcopy.job import MailboxReport, State
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.mailcopy.verify import Verification
from reconciler.model.grade import Difference, Grade

STOPPED: Final = "stopped"
NOT_BEGUN: Final = "not begun"

_CODES: Final = {
    State.DONE.value: Code.DONE,
    State.PARTLY.value: Code.BLOCKED,
    State.FULL.value: Code.BLOCKED,
    State.LIMITED.value: Code.WAITING,
    State.AUTH_LOST.value: Code.BLOCKED,
    State.SUSPECT.value: Code.BLOCKED,
}
_NOTHING: Final = Tally()
BAD_GRADES: Final = (Grade.INVESTIGATE, Grade.POOR)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``state`` is a State's word, or STOPPED or NOT_BEGUN; ``unjudged`` says why there is no verdict, if asked for."""

    address: str
    state: str
    words: str = ""
    tally: Tally = _NOTHING
    accounts: tuple[FolderAccount, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    began: datetime | None = None
    ended: datetime | None = None
    grade: Grade | None = None
    differences: tuple[Difference, ...] = ()
    unjudged: str = ""

    @classmethod
    def of(
        cls,
        report: MailboxReport,
        verdict: Verification | None = None,
        unjudged: str = "",
        earlier: Tally = _NOTHING,
    ) -> "Outcome":
        """From what the copy and the judge have told; ``earlier`` is what a first round of this pass has sent."""
        return cls(
            report.key.account,
            report.state.value,
            report.words,
            report.tally + earlier,
            report.accounts,
            report.refusals,
            report.began,
            report.ended,
            verdict.grade if verdict else None,
            verdict.differences if verdict else (),
            unjudged,
        )

    @property
    def code(self) -> Code:
        """What a script should know of it."""
        codes = [_CODES.get(self.state, Code.FAILED)]
        if self.refusals or self.tally.refused or self.grade in BAD_GRADES:
            codes.append(Code.BLOCKED)
        if self.unjudged or not self.tally.balanced:
            codes.append(Code.FAILED)
        return worst(codes)


def code_of(outcomes: Iterable[Outcome]) -> Code:
    """Of all mailboxes."""
    return worst(outcome.code for outcome in outcomes)


def total(outcomes: Iterable[Outcome]) -> Tally:
    """The account of all mailboxes."""
    return sum((outcome.tally for outcome in outcomes), Tally())


def states(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many mailboxes ended how."""
    return Counter(outcome.state for outcome in outcomes)
