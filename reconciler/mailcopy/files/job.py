"""What is asked of the copy by files; what it tells back is the same as over IMAP (reconciler.mailcopy.job)."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from reconciler.mailcopy.files.files import Inside, MaildirFiles, Original, Seen
from reconciler.mailcopy.files.machine import Machine
from reconciler.mailcopy.files.mbox_files import MboxFiles
from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.maildir_layout import Layout


class Source(Protocol):
    """A mailbox that is read; every method raises MachineFailed where it cannot be."""

    keeps_flags: bool
    """Whether its flags are worth following after a message was copied."""

    def look(self) -> Seen:
        """Its folders, and mostly their messages."""

    def fill(self, inside: Inside, /) -> None:
        """The messages of a folder, where ``look`` left them out."""

    def heads(self, inside: Inside, numbers: Collection[int], /) -> dict[int, bytes]:
        """Headers of those that are there."""

    def contents(self, inside: Inside, numbers: Collection[int], /) -> dict[int, bytes]:
        """Texts of those that are there."""

    def pieces(self, inside: Inside, number: int, /) -> Iterator[bytes]:
        """One big message; ends early where it is gone."""

    def original(self, inside: Inside, number: int, /) -> Original:
        """What its copy is named after."""


@dataclass(frozen=True, slots=True)
class MaildirEnd:
    """One mailbox as a Maildir; ``server`` is what the bounds are shared by, as in an Endpoint.

    ``may_be_made``: as a target it need not be there yet.
    """

    server: Machine
    root: PurePosixPath
    layout: Layout = field(default_factory=Layout)
    may_be_made: bool = False

    def opened(self, _sleep: Callable[[float], None]) -> MaildirFiles:
        """To be read."""
        return MaildirFiles(self.server, self.root, self.layout)


@dataclass(frozen=True, slots=True)
class MboxEnd:
    """One mailbox as mbox files: a folder of them, or one that is INBOX; ``inbox``: INBOX, if it lies elsewhere."""

    server: Machine
    root: PurePosixPath
    inbox: PurePosixPath | None = None

    def opened(self, sleep: Callable[[float], None]) -> MboxFiles:
        """To be read."""
        return MboxFiles(self.server, self.root, self.inbox, sleep)


@dataclass(frozen=True, slots=True)
class FilesCopy:
    """One mailbox to be brought from files into a Maildir; ``octets`` is its size, if known, for the order."""

    key: CopyKey
    source: MaildirEnd | MboxEnd
    target: MaildirEnd
    rules: Rules = field(default_factory=Rules)
    octets: int = 0
