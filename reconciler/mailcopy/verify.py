"""The judge: both sides are read anew and compared, folder by folder, whoever did the copying.

How it reads is its own affair (reconciler.mailcopy.judge). The ledger is asked for what the copier has said: why a
message that is not there was not to be copied, or not yet; what had to be left off; which texts a person has approved;
and where a folder went whose name the target did not take.
"""

import random
from dataclasses import dataclass
from datetime import datetime

from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.court import Court
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.model.grade import Difference, Grade, grade

SAMPLE = 20
"""Messages of a mailbox that are compared octet by octet, if nobody asks for another number."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on one mailbox: ``messages`` were compared by their rows and headers, ``sampled`` in full."""

    key: CopyKey
    grade: Grade
    differences: tuple[Difference, ...]
    messages: int
    sampled: int
    began: datetime
    ended: datetime


def verify_mailbox(
    copy: MailboxCopy, means: Means, sample: int = SAMPLE, chance: random.Random | None = None
) -> Verification:
    """Compare per folder the multisets of (identity, size, INTERNALDATE, flags), and a random sample as it is.

    What a server does not show is a difference of its own kind, so that nothing is equal for want of data.

    Raises:
        MailError: a side could not be read; then there is no verdict.
        JournalError: the ledger cannot be read or written.

    """
    began = means.clock.now()
    with Connection(copy.source) as source, Connection(copy.target) as target:
        found = Court(copy, means, source, target).compare(sample, chance or random.SystemRandom(), began)
    return Verification(
        copy.key,
        grade(found.differences),
        found.differences,
        found.messages,
        found.sampled,
        began,
        means.clock.now(),
    )
