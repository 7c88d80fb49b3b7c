"""What is asked of a copy from IMAP server to IMAP server: one mailbox and its two ends."""

from dataclasses import dataclass, field

from reconciler.mailcopy.imap.login import Login
from reconciler.mailcopy.imap.server import Server
from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.model.ledger import CopyKey


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One mailbox on one server."""

    server: Server
    login: Login


@dataclass(frozen=True, slots=True)
class MailboxCopy:
    """One mailbox to be brought from one server to the other; ``octets`` is its size, if known, for the order."""

    key: CopyKey
    source: Endpoint
    target: Endpoint
    rules: Rules = field(default_factory=Rules)
    octets: int = 0
