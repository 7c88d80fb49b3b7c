"""One mailbox, over IMAP or by its files: whoever has it copied or judged need not care which."""

from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from reconciler.mailcopy.imap import copy as over_imap
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.job import MailboxReport, Means

if TYPE_CHECKING:
    from reconciler.mailcopy.files.job import FilesCopy
    from reconciler.mailcopy.verify import Verification

AnyCopy: TypeAlias = "MailboxCopy | FilesCopy"


def copy_mailbox(copy: AnyCopy, means: Means) -> MailboxReport:
    """One pass; never raises for what a server does.

    Raises:
        JournalError: the ledger cannot be written; without it nothing may be sent.

    """
    if isinstance(copy, MailboxCopy):
        return over_imap.copy_mailbox(copy, means)
    from reconciler.mailcopy.files.copy import copy_files  # noqa: PLC0415 - most moves copy over IMAP alone

    return copy_files(copy, means)


def verify_mailbox(copy: AnyCopy, means: Means, passed: datetime | None = None) -> "Verification":
    """The verdict on one mailbox, both sides read anew; ``passed``: when the last pass over it began.

    Raises:
        MailError: a side could not be read; then there is no verdict.

    """
    if isinstance(copy, MailboxCopy):
        from reconciler.mailcopy import verify as imap_judge  # noqa: PLC0415 - most passes judge nothing

        return imap_judge.verify_mailbox(copy, means)
    from reconciler.mailcopy.files.verify import verify_files  # noqa: PLC0415 - as above

    return verify_files(copy, means, passed=passed)
