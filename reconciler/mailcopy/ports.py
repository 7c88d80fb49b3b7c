"""What the copier asks of the outside world, and nothing more."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from reconciler.mailcopy.model.accounting import Record
from reconciler.mailcopy.model.ledger import CopyKey, Doubt, FolderCounts, FolderState


class MailLedger(Protocol):
    """What became of each message of the source; every method is durable when it returns and may be called by threads.

    Every method raises JournalError when the ledger cannot be read or written.
    """

    def folders(self, copy: CopyKey, /) -> Mapping[bytes, FolderState]:
        """The latest state of each source folder, by its raw name."""

    def open_folder(self, copy: CopyKey, state: FolderState, /) -> FolderState:
        """The state under a new number, for a folder that is new or has got another UIDVALIDITY."""

    def close_folder(self, state: FolderState, /) -> None:
        """A pass over the folder is finished; it stands as the state says."""

    def records(self, folder: int, /, first: int = 1) -> Mapping[int, Record]:
        """What is known of source UIDs from ``first`` on."""

    def flags(self, folder: int, uids: Collection[int], /) -> Mapping[int, Record]:
        """What is known of these copied messages."""

    def told(self, folder: int, /) -> Mapping[int, str]:
        """Source UID to what was said of a message that was copied: what had to be left off."""

    def approve(self, folder: int, digests: Mapping[int, bytes], /) -> None:
        """These texts of copies are approved, by source UID; a text that is approved stays so."""

    def approved(self, folder: int, /) -> Mapping[int, bytes]:
        """Source UID to the digest of the copy's text that was approved."""

    def target_uids(self, copy: CopyKey, target: bytes, uidvalidity: int, /) -> Collection[int]:
        """The UIDs in a target folder that are copies, from whatever source folder, by the latest state of each."""

    def counts(self, folder: int, /) -> FolderCounts:
        """How many messages that the source still holds ended so, and what stands on the target."""

    def begin(self, folder: int, uids: Sequence[int], target_uidnext: int, /) -> int:
        """A batch is about to be sent; gives its number."""

    def record(self, folder: int, records: Sequence[Record], /, batch: int | None = None) -> None:
        """What became of messages; ends the batch."""

    def drop(self, batch: int, /) -> None:
        """The batch is known to have stored nothing that is not recorded."""

    def doubts(self, copy: CopyKey, /) -> Sequence[Doubt]:
        """The batches that began and did not end."""

    def gone(self, folder: int, uids: Collection[int], /) -> None:
        """The source holds these no more; their copies stay."""

    def refused(self, copy: CopyKey, /) -> Sequence[tuple[bytes, Record]]:
        """The refused messages that the source still holds: its folder's raw name, and what is known."""

    def forget_refused(self, copy: CopyKey, /) -> None:
        """Refused messages are to be tried again."""

    def note_shown(self, folder: int, shown: Mapping[int, str], /) -> None:
        """Source UID to the message that the source shows there, and maybe in other folders too."""

    def homes(self, folders: Collection[int], messages: Collection[str], /) -> Mapping[str, int]:
        """Message to the folder, one of these, that it was copied from or refused in."""

    def forget_stranded(self, folders: Collection[int], among: Collection[int], /) -> None:
        """Excluded messages of ``folders`` that came from none of ``among`` are to be looked at again."""

    def spend(self, copy: CopyKey, octets: int, /) -> None:
        """That much was carried today (UTC)."""

    def spent(self, copy: CopyKey, /) -> int:
        """Octets carried today (UTC)."""
