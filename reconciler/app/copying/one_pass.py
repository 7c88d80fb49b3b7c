"""One pass over all mailboxes: each is copied, judged if asked for, and told; it can be stopped between two batches."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from reconciler.app.copying.outcome import BAD_GRADES, NOT_BEGUN, STOPPED, Note, Outcome, notes_of
from reconciler.errors import MailError, SecretError
from reconciler.mailcopy.either import AnyCopy, copy_mailbox, verify_mailbox
from reconciler.mailcopy.files.job import FilesCopy
from reconciler.mailcopy.fleet import copy_all
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.job import UNDER_WAY, MailboxReport, Means, Progress, State
from reconciler.mailcopy.model.accounting import Tally
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.turns import ALONE, GiveBack, Turns
from reconciler.mailcopy.verify import Verification
from reconciler.model.event import Event, Hearer, Together
from reconciler.model.last_pass import LastPass
from reconciler.wording.lists import counted

_NAP: Final = 0.2  # seconds between two looks whether to stop, while a pause that a server asked for is kept
_COPIED: Final = (State.DONE, State.PARTLY)
_CUT_SHORT: Final = "stopped before it was compared"
_SHARE: Final = 4  # one connection in so many is a judge's, where there are judges


class _StopAsked(Exception):  # noqa: N818 - no error: it ends a mailbox between two batches
    """A person has asked to stop."""


class Pass:
    """Iterate ``outcomes`` once; ``stop`` is asked before every batch."""

    def __init__(
        self,
        copies: Sequence[AnyCopy],
        parallel: int,
        means: Means,
        stop: Callable[[], bool],
        note: Callable[[CopyKey, LastPass], None],
        *,
        turns: Turns = ALONE,
    ) -> None:
        """Nothing is opened yet; ``note`` is to remember what a later plan wants to know.

        A mailbox that another run has is left out, with a word; one that another run wants is given back.
        """
        self._turns = turns
        self._held: set[str] = set()
        self._here = threading.local()  # the mailbox that a thread works on
        self._note = note
        self._copies, self._parallel = copies, parallel
        self._stop = stop
        self._begun: dict[str, Progress] = {}
        self._means = replace(
            means, events=Together(Hearer(self._heard), means.events), sleep=self._sleep, holding=self._holding
        )
        free = min((end.server.limits.connections for copy in copies for end in (copy.source, copy.target)), default=1)
        self._judges = min(parallel, max(1, free // _SHARE))
        self._room = free > self._judges

    def outcomes(self, *, verify: bool) -> Iterator[Outcome]:
        """Each mailbox once, when it is through; at the end those that a stop has cut short.

        A mailbox is judged as soon as it is copied, by connections that the copying leaves free; where a server takes
        too few, after all the copying.

        Raises:
            JournalError: the ledger cannot be written.

        """
        copies = {copy.key.account: copy for copy in self._copies}
        left = dict.fromkeys(copies)
        late: list[MailboxReport] = []
        with ThreadPoolExecutor(max_workers=self._judges, thread_name_prefix="judge") as judges:
            judged: list[Future[Outcome]] = []
            for report in self._reports(share=verify and self._room):
                left.pop(report.key.account)
                self._note_end(report)
                if not verify or report.state not in _COPIED:
                    yield Outcome.of(report)
                elif self._room:
                    judged.append(judges.submit(self._judge, copies[report.key.account], report))
                else:
                    late.append(report)
            judged += [judges.submit(self._judge, copies[report.key.account], report) for report in late]
            for future in as_completed(judged):
                yield future.result()
        for address in left:
            yield _cut_short(address, self._begun.get(address))

    def _reports(self, *, share: bool) -> Iterator[MailboxReport]:
        copies = [self._narrowed(copy) for copy in self._copies] if share else self._copies
        try:
            yield from copy_all(copies, self._means, self._parallel)
        except _StopAsked:
            return

    def _narrowed(self, copy: AnyCopy) -> AnyCopy:
        if isinstance(copy, FilesCopy):
            return copy  # a machine whose files are read counts no connections
        return replace(copy, source=self._less(copy.source), target=self._less(copy.target))

    def _less(self, end: Endpoint) -> Endpoint:
        limits = replace(end.server.limits, connections=end.server.limits.connections - self._judges)
        return replace(end, server=replace(end.server, limits=limits))

    def _judge(self, copy: AnyCopy, report: MailboxReport) -> Outcome:
        """Compare; where that is not good enough, copy what may have come meanwhile, and compare once more."""
        earlier, noted = Tally(), tuple[Note, ...]()
        try:
            verdict = self._compared(copy, report)
            if verdict.grade in BAD_GRADES:
                with self._holding(report.key.account) as held_by:
                    if held_by:
                        return Outcome.of(report, unjudged=f"it was not copied again, for {held_by}")
                    first, noted = report.tally, notes_of(report)
                    report = copy_mailbox(copy, self._means)
                self._note_end(report)
                earlier = Tally(new=first.new, recognised=first.recognised, octets=first.octets)
                if report.state in _COPIED:
                    verdict = self._compared(copy, report)
        except _StopAsked:
            return Outcome.of(report, unjudged=_CUT_SHORT, noted=noted)
        except (MailError, SecretError) as error:
            return Outcome.of(report, unjudged=str(error), earlier=earlier, noted=noted)
        self._note(report.key, LastPass(judged=verdict.began, grade=verdict.grade))
        return Outcome.of(report, verdict, earlier=earlier, noted=noted)

    def _note_end(self, report: MailboxReport) -> None:
        if report.state is State.DONE:
            brought = report.began if report.tally.new > report.tally.recognised else None
            self._note(report.key, LastPass(copied=report.began, brought=brought))

    def _compared(self, copy: AnyCopy, report: MailboxReport) -> Verification:
        if self._stop():
            raise _StopAsked
        return verify_mailbox(copy, self._means, report.began)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Progress):
            if event.state in UNDER_WAY:
                self._go_on(event.account)
            self._begun[event.account] = event

    def _go_on(self, account: str) -> None:
        """Between two batches: unless a person wants all to stop, or another run wants this mailbox."""
        if self._stop():
            raise _StopAsked
        why = self._turns.wanted(account) if account in self._held else ""
        if why:
            raise GiveBack(f"{why}; it is given back, and the next pass goes on")

    @contextmanager
    def _holding(self, account: str) -> Iterator[str]:
        """Who else has the mailbox; if nobody, nobody has it meanwhile."""
        held_by = self._turns.take([account]).get(account, "")
        if held_by:
            yield held_by
            return
        self._here.account = account
        self._held.add(account)
        try:
            yield ""
        finally:
            self._here.account = ""
            self._held.discard(account)
            self._turns.give_back([account])

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._go_on(getattr(self._here, "account", ""))
            time.sleep(min(_NAP, left))


def _cut_short(address: str, last: Progress | None) -> Outcome:
    """A mailbox that a stop has left: what it has told last."""
    if last is None:
        return Outcome(address, NOT_BEGUN)
    told = f"{last.messages:,} of {counted(last.of_messages, 'message')} of this pass stand there"
    return Outcome(address, STOPPED, told if last.of_messages else "")
