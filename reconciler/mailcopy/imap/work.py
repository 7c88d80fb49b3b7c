"""One folder with something to do, and the groups in which folders go through all steps together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.lane import Lane
from reconciler.mailcopy.imap.rows import Listed, Wanted
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.model.message import Row

_FOLDERS_AT_ONCE = 50
_MESSAGES_AT_ONCE = 20_000
"""A group goes through all steps together: few round trips for many small folders, little memory for big ones."""


@dataclass(slots=True)
class Work:
    """One folder with something to do, and what became of it.

    ``suspicion``: how often it, or some of its messages, have ended a connection. ``given_up``: messages that did so
    alone, with words; that goes on record when the rest is done.
    """

    mapped: Mapped
    state: FolderState
    here: Status
    there: Status
    in_doubt: bool
    suspicion: int = 0
    listed: Listed = field(default_factory=lambda: Listed(b""))
    missing: list[Row] = field(default_factory=list)
    lane: Lane | None = None
    recognised: int = 0
    undated: int = 0
    given_up: dict[int, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def told(self) -> Iterator[str]:
        """What people are to know of it, though no mail is missing."""
        yield from dict.fromkeys(self.notes)
        yield from self.lane.notes if self.lane else ()
        if self.undated:
            many = "1 message has" if self.undated == 1 else f"{self.undated} messages have"
            yield f"{many} no date on the source that can be read: the header's date stands for it, if there is one"
        if odd := sorted(self.listed.odd_flags):
            yield f"{', '.join(odd)}: no flags that a server could be asked to set, so they stay behind"
        if self.listed.flags_refused:
            yield f"changes of flags are not known, and not followed: {self.listed.flags_refused}"

    @property
    def title(self) -> str:
        """The source folder, for people."""
        return self.mapped.source.title

    def wanted(self, *, follows: bool) -> Wanted:
        """What is to be listed of the source."""
        return Wanted(self.mapped.source.raw, self.state.uidnext, self.state.modseq if follows else None)

    @property
    def has_strangers(self) -> bool:
        """Whether the target folder may hold messages that the ledger does not know."""
        known = self.state.known == self.there.messages and self.state.top + 1 == self.there.uidnext
        return self.in_doubt or (self.there.messages > 0 and not known)


def is_unchanged(state: FolderState, here: Status, copy: MailboxCopy) -> bool:
    """Whether one STATUS says that there is nothing to do: no new message, none gone, no flag to follow."""
    same = (state.messages, state.uidnext) == (here.messages, here.uidnext)
    return same and (not copy.rules.follow_flags or (here.modseq > 0 and state.modseq == here.modseq))


def groups(works: Sequence[Work]) -> Iterator[list[Work]]:
    """The folders in groups that go through all steps together; one under suspicion goes alone."""
    group: list[Work] = []
    messages = 0
    for work in works:
        size = work.here.messages if work.state.uidnext == 1 else 0
        full = len(group) >= _FOLDERS_AT_ONCE or messages + size > _MESSAGES_AT_ONCE
        if group and (full or work.suspicion):
            yield group
            group, messages = [], 0
        group.append(work)
        messages += size
    if group:
        yield group
