"""One mailbox after a pass, and the account of all of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.mailcopy.job import MailboxReport
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.model.event import Event
from reconciler.model.grade import Difference, Grade

if TYPE_CHECKING:
    from reconciler.mailcopy.verify import Verification  # brings imapclient with it

STOPPED: Final = "stopped"
NOT_BEGUN: Final = "not begun"

_NOTHING: Final = Tally()
BAD_GRADES: Final = (Grade.INVESTIGATE, Grade.POOR)


class Note(NamedTuple):
    """What people should know though no mail is missing; ``folder`` is empty where it is about the whole mailbox."""

    folder: str
    words: str

    def __str__(self) -> str:
        """On one line."""
        return f"{self.folder}: {self.words}" if self.folder else self.words


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
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(
        cls,
        report: MailboxReport,
        verdict: "Verification | None" = None,
        unjudged: str = "",
        earlier: Tally = _NOTHING,
        noted: Iterable[Note] = (),
    ) -> "Outcome":
        """From what the copy and the judge have told.

        ``earlier`` is what a first round of this pass has sent, ``noted`` what it noted.
        """
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
            tuple(dict.fromkeys((*noted, *notes_of(report)))),
        )


def notes_of(report: MailboxReport) -> tuple[Note, ...]:
    """Those of the mailbox, then those of its folders."""
    of_folders = (Note(account.folder, words) for account in report.accounts for words in account.notes)
    return (*(Note("", words) for words in report.notes), *of_folders)


@dataclass(frozen=True, slots=True)
class MailboxThrough(Event):
    """A mailbox is through, judged too if that was asked for: the ``number``-th ``of`` all of this pass."""

    outcome: Outcome
    number: int
    of: int


def total(outcomes: Iterable[Outcome]) -> Tally:
    """The account of all mailboxes."""
    return sum((outcome.tally for outcome in outcomes), Tally())


def states(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many mailboxes ended how."""
    return Counter(outcome.state for outcome in outcomes)
