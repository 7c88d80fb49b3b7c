"""A mailbox is brought from files into a Maildir, as often as asked: the same pass as over IMAP, by other means.

The copy of a message has a name that is made from the message's own. So it is known where the ledger was lost, or where
we were killed in between: nothing is ever in doubt, and nothing is delivered twice.
"""

from collections.abc import Callable

from reconciler.errors import MailboxSuspect, SecretError
from reconciler.mailcopy.files.delivery import Delivery
from reconciler.mailcopy.files.files import Inside, Seen
from reconciler.mailcopy.files.folder_pass import FolderPass
from reconciler.mailcopy.files.job import FilesCopy, Source
from reconciler.mailcopy.files.machine import MachineFailed
from reconciler.mailcopy.files.work import Work
from reconciler.mailcopy.job import NO_PLAN, MailboxReport, Means, Progress, State
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import FolderPlan, Mapped, map_folders
from reconciler.mailcopy.model.refusal import backoff
from reconciler.mailcopy.reporting import reported

NAMES = 1 << 40
"""In place of a UIDVALIDITY, which is below 2**32: the numbers of this folder are made from names, and stay."""


def copy_files(copy: FilesCopy, means: Means) -> MailboxReport:
    """One pass. It never raises for what a machine does: the state says how it ended, the report what became of all.

    Raises:
        JournalError: the ledger cannot be written; without it nothing may be delivered.

    """
    attempt = _Attempt(copy, means)
    return reported(attempt, copy.key, means, lambda: _persist(attempt, means))


def _persist(attempt: "_Attempt", means: Means) -> tuple[State, str]:
    """Run it again after a failure, until too many attempts in a row have brought nothing over."""
    failures = 0
    while True:
        before = attempt.messages
        try:
            return attempt.run()
        except SecretError as error:
            return State.AUTH_LOST, str(error)
        except MailboxSuspect as error:
            return State.SUSPECT, str(error)
        except MachineFailed as error:
            if error.full:
                return State.FULL, str(error)
            failures = 1 if attempt.messages > before else failures + 1
            if failures >= means.patience.attempts:
                return State.FAILED, str(error)
            attempt.say(State.WAITING, words=str(error))
            if failures > 1:
                means.sleep(backoff(failures - 1).total_seconds())


class _Attempt:
    """A pass; run again after a failure it goes on where it was."""

    def __init__(self, copy: FilesCopy, means: Means) -> None:
        self._copy, self._means = copy, means
        self._accounts: dict[str, FolderAccount] = {}
        self._octets = self._of_messages = self._of_octets = 0
        self.messages = 0
        self.plan: FolderPlan = NO_PLAN
        self.refusals: tuple[Refusal, ...] = ()
        self.notes: tuple[str, ...] = ()

    def accounts(self) -> tuple[FolderAccount, ...]:
        return tuple(self._accounts[title] for title in sorted(self._accounts))

    def say(self, state: State, folder: str = "", words: str = "") -> None:
        of_messages, of_octets = max(self._of_messages, self.messages), max(self._of_octets, self._octets)
        account, octets = self._copy.key.account, self._octets
        self._means.events.tell(Progress(account, state, folder, self.messages, octets, of_messages, of_octets, words))

    def run(self) -> tuple[State, str]:
        self.say(State.LOOKING)
        source, target = self._copy.source.opened(self._means.sleep), self._copy.target.opened(self._means.sleep)
        here, there = look_at_both(source.look, target.look)
        if not self._copy.rules.may_be_empty:
            expect_a_mailbox(here, source)
        self.plan = map_folders(here.folders, there.folders, there.namespace, self._copy.rules.folders)
        self.refusals = tuple(here.refusals)
        for left in self.plan.left_out:
            source.fill(here.inside[left.source.raw])
            self._accounts[left.source.title] = _left_out(left.source, left.rule, here)
        if not there.exists and not self._copy.target.may_be_made:
            raise MailboxSuspect(
                f"there is no Maildir at {target}; nothing was copied, for the path may be wrong and nobody would find "
                "the mail. Mend it, log in to the mailbox once, or let Maildirs be made (make: true)"
            )
        delivery = Delivery(target)
        works = self._ready(here, there, delivery)
        steps = FolderPass(self._copy, source, target, delivery, self._means)
        for work in works:
            steps.begin(work)
            self.messages += work.recognised
            self._of_messages = self.messages + sum(len(each.missing) for each in works)
            self._of_octets = self._octets + sum(row.size for each in works for row in each.missing)
            steps.copy_missing(work, there, self._moved)
            steps.follow_flags(work)
            self._accounts[work.title] = steps.account(work)
        if self.refusals or any(account.tally.waiting for account in self.accounts()):
            return State.PARTLY, "some folders could not be copied to the end; the refusals say why"
        return State.DONE, ""

    def _ready(self, here: Seen, there: Seen, delivery: Delivery) -> list[Work]:
        """Make the folders, and compare with the ledger what each has seen so far."""
        ledger, layout = self._means.ledger, self._copy.target.layout
        if self._copy.rules.retry_refused:
            ledger.forget_refused(self._copy.key)
        directories: dict[bytes, str] = {}
        for mapped in self.plan.mapped:
            try:
                directories[mapped.raw] = layout.directory(mapped.raw.decode("utf-8", "surrogateescape"))
            except ValueError as error:
                self._accounts[mapped.source.title] = _unwanted(mapped, here.inside[mapped.source.raw], str(error))
        wanted = [mapped for mapped in self.plan.mapped if mapped.raw in directories]
        if wanted:
            delivery.make(dict.fromkeys(directories[mapped.raw] for mapped in wanted))
        known = {folder.raw for folder in there.folders if folder.subscribed}
        subscribe = dict.fromkeys(m.raw for m in wanted if m.source.subscribed and m.raw not in known)
        if subscribe:
            delivery.subscribe(there, [raw.decode("utf-8", "surrogateescape") for raw in subscribe])
        states = ledger.folders(self._copy.key)
        works, stood = [], set(there.inside)
        for mapped in wanted:
            state = _current(states.get(mapped.source.raw), mapped, new=mapped.raw not in stood)
            if state.number == 0:
                state = ledger.open_folder(self._copy.key, state)
            inside = there.inside.setdefault(mapped.raw, Inside(Folder(mapped.raw, mapped.target)))
            works.append(Work(mapped, state, here.inside[mapped.source.raw], inside, directories[mapped.raw]))
        return works

    def _moved(self, work: Work, messages: int, octets: int) -> None:
        self.messages += messages
        self._octets += octets
        for pace in self._means.paces:
            pace.take(octets)
        self.say(State.COPYING, work.title)


def look_at_both(source: Callable[[], Seen], target: Callable[[], Seen]) -> tuple[Seen, Seen]:
    """The source first: what a filter on the target has sent on to it by then is on the target too."""
    here = source()
    return here, target()


def expect_a_mailbox(here: Seen, source: Source) -> None:
    """A path that leads to nothing is believed only where the spec says that the mailbox may be empty.

    Raises:
        MailboxSuspect: there is no mailbox.

    """
    if b"INBOX" not in here.inside and not (here.exists and here.inside and not source.keeps_flags):
        raise MailboxSuspect(
            f"there is no mailbox at {source}; nothing was copied, for the mailbox only looks empty. Mend the path in "
            "the section copy, or the rights of who reads it; if it was never used, allow it to be empty (may_be_empty)"
        )


def _current(known: FolderState | None, mapped: Mapped, *, new: bool) -> FolderState:
    """What the ledger knows, unless the folder's place is another, or was removed: then nothing (number 0)."""
    fresh = FolderState(0, mapped.source.raw, NAMES, mapped.raw, NAMES)
    if known is None or new:
        return fresh
    same = (known.source_uidvalidity, known.target, known.target_uidvalidity) == (NAMES, mapped.raw, NAMES)
    return known if same else fresh


def _left_out(folder: Folder, rule: str, here: Seen) -> FolderAccount:
    count = len(here.inside[folder.raw].rows)
    return FolderAccount(folder.title, "", Tally(count=count, excluded=count), rule=rule)


def _unwanted(mapped: Mapped, inside: Inside, words: str) -> FolderAccount:
    tally = Tally(count=len(inside.rows), waiting=len(inside.rows))
    return FolderAccount(mapped.source.title, "/".join(mapped.target), tally, (Refusal(mapped.source.title, 0, words),))
