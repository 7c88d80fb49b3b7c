"""One mailbox between two scripted IMAP servers: passes, verdicts, and what stands on both sides."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.job import MailboxReport, Means, Patience, Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.verify import Verification, verify_mailbox
from reconciler.model.secret import Secret
from tests.fakes.imap_server import ImapServer
from tests.support.clock import FakeClock


@dataclass
class MailMove:
    """``naps`` are the pauses that passes would have made. ``timeout``: seconds, for servers that lose commands.

    ``settle``: how long a server may still be storing what it read; ``nap`` hears of each pause.
    """

    old: ImapServer
    new: ImapServer
    user: str = "ann@example.org"
    password: str = "pw"
    timeout: float = 10.0
    clock: FakeClock = field(default_factory=FakeClock)
    naps: list[float] = field(default_factory=list)
    settle: timedelta = timedelta(0)
    nap: Callable[[float], None] = lambda _: None
    ledger: SqlLedger = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was copied yet."""
        self.ledger = SqlLedger("sqlite://", self.clock)

    def copy(self, rules: Rules | None = None) -> MailboxReport:
        """One pass."""
        return copy_mailbox(self._mailbox(rules), self._means())

    def verify(self, rules: Rules | None = None) -> Verification:
        """The judge's verdict."""
        return verify_mailbox(self._mailbox(rules), self._means(), chance=random.Random(0))

    def lose_the_ledger(self) -> None:
        """As on another machine."""
        self.ledger.close()
        self.ledger = SqlLedger("sqlite://", self.clock)

    def standing(self) -> dict[str, list[str]]:
        """The first line of each message's text, by target folder; folders without mail are left out."""
        return texts(self.new)

    def _mailbox(self, rules: Rules | None) -> MailboxCopy:
        old, new = (
            Endpoint(
                Server("127.0.0.1", server.port, Security.LOOPBACK, timeout=self.timeout),
                OwnPassword(self.user, lambda: Secret(self.password)),
            )
            for server in (self.old, self.new)
        )
        return MailboxCopy(CopyKey(self.user, "old", "new"), old, new, rules or Rules())

    def _means(self) -> Means:
        return Means(self.ledger, self.clock, patience=Patience(attempts=5, settle=self.settle), sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.nap(seconds)


@contextmanager
def moving(old: ImapServer, new: ImapServer, *, password: str = "pw", timeout: float = 10.0) -> Iterator[MailMove]:
    """Until the end of the block, then both servers stop."""
    move = MailMove(old, new, password=password, timeout=timeout)
    try:
        yield move
    finally:
        move.ledger.close()
        old.stop()
        new.stop()


def texts(server: ImapServer) -> dict[str, list[str]]:
    """The first line of each message's text, by folder; folders without mail are left out."""
    return {
        name.decode("utf-8", "replace"): sorted(folder.texts) for name, folder in server.folders.items() if folder.mails
    }


def balanced(report: MailboxReport) -> bool:
    """Whether the account of each folder adds up."""
    return all(account.tally.balanced for account in report.accounts)


def told(report: MailboxReport) -> tuple[str, ...]:
    """All notes: of the mailbox and of its folders."""
    return (*report.notes, *(note for account in report.accounts for note in account.notes))


def refused(report: MailboxReport) -> dict[tuple[str, int], str]:
    """Words by folder and UID; UID 0 is the whole folder."""
    every: list[Refusal] = [*report.refusals, *(r for account in report.accounts for r in account.refusals)]
    return {(refusal.folder, refusal.uid): refusal.words for refusal in every}
