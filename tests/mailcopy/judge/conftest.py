import random
from collections.abc import Callable, Iterator

import pytest

from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security
from reconciler.mailcopy.imap.server import Server as At
from reconciler.mailcopy.job import Means, Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.verify import Verification, verify_mailbox
from reconciler.model.grade import Kind
from reconciler.model.secret import Secret
from tests.lab.mailbox import RealClock
from tests.mailcopy.judge.scripted import Box, Server, mails

ANN = CopyKey("ann", "old", "new")

Judge = Callable[..., Verification]


@pytest.fixture
def old() -> Iterator[Server]:
    """Three messages in INBOX and two in Work."""
    server = Server({b"INBOX": Box(mails(1, 2, 3)), b"Work": Box(mails(14, 15))})
    yield server
    server.stop()


@pytest.fixture
def new() -> Iterator[Server]:
    """The same, under other UIDs."""
    boxes = {b"INBOX": Box(mails(1, 2, 3)), b"Work": Box(mails(14, 15))}
    for box in boxes.values():
        for message in box.messages:
            message.uid += 100
    server = Server(boxes)
    yield server
    server.stop()


@pytest.fixture
def judge(old: Server, new: Server, ledger: SqlLedger) -> Judge:
    """Compare the two, with a sample of everything."""

    def judged(rules: Rules | None = None, sample: int = 100) -> Verification:
        copy = MailboxCopy(ANN, end(old), end(new), rules or Rules())
        return verify_mailbox(copy, Means(ledger, RealClock()), sample, random.Random(1))

    return judged


def end(server: Server) -> Endpoint:
    return Endpoint(At("127.0.0.1", server.port, Security.LOOPBACK), OwnPassword("ann", lambda: Secret("pw")))


def told(verdict: Verification) -> list[tuple[str, Kind, int, bool]]:
    """Folder, kind, count and whether it is explained."""
    return [(each.folder, each.kind, each.count, bool(each.explained)) for each in verdict.differences]
