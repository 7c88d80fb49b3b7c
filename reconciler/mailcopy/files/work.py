"""One folder on its way, what is written down of it, and the letters that its keywords get on the target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.mailcopy.files.delivery import Delivery
from reconciler.mailcopy.files.files import Inside
from reconciler.mailcopy.model.accounting import Fate, Record, Refusal
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.maildir_name import MOST_KEYWORDS, keywords_among
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.ports import MailLedger

Moved = Callable[["Work", int, int], None]


@dataclass(slots=True)
class Work:
    """One folder, and what became of it. ``saved``: it is as the last pass left it."""

    mapped: Mapped
    state: FolderState
    here: Inside
    there: Inside
    directory: str
    records: dict[int, Record] = field(default_factory=dict)
    missing: list[Row] = field(default_factory=list)
    vanished: int = 0
    new: int = 0
    recognised: int = 0
    octets: int = 0
    saved: bool = False
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The source folder, for people."""
        return self.mapped.source.title


class Books:
    """What became of messages, in the ledger and in the work at once."""

    def __init__(self, ledger: MailLedger) -> None:
        """Of one copy."""
        self.ledger = ledger

    def note(self, work: Work, records: Sequence[Record]) -> None:
        """Write it down.

        Raises:
            JournalError: the ledger cannot be written.

        """
        if records:
            self.ledger.record(work.state.number, records)
            work.records.update((record.uid, record) for record in records)

    def refuse(self, work: Work, why: Mapping[int, str]) -> None:
        """These messages cannot be copied.

        Raises:
            JournalError: the ledger cannot be written.

        """
        self.note(work, [Record(uid, Fate.REFUSED, words=words) for uid, words in why.items()])
        work.refusals += [Refusal(work.title, uid, words) for uid, words in why.items()]


def letters_for(work: Work, delivery: Delivery, flags: str) -> Mapping[str, str]:
    """Letter to keyword of the target folder, with those of these flags added where it lacks them.

    Raises:
        MachineFailed: its file of keywords cannot be changed.

    """
    known = {keyword.lower() for keyword in work.there.keywords.values()}
    lacking = [keyword for keyword in keywords_among(flags) if keyword.lower() not in known]
    if lacking and len(work.there.keywords) < MOST_KEYWORDS:  # all that will be wanted, so that it changes once
        everything = (keyword for row in work.here.rows.values() for keyword in keywords_among(row.flags))
        return delivery.keywords(work.directory, work.there, [*lacking, *everything])
    return work.there.keywords
