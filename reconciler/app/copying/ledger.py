"""The ledger of a move's mail copy: a file beside the spec that one copy at a time writes."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import JournalError, Locked
from reconciler.model.last_pass import LastPass
from reconciler.ports import Clock

if TYPE_CHECKING:
    from reconciler.mailcopy.ledger.sqlite import SqlLedger


def ledger_place(spec_file: Path) -> Path:
    """``SPEC.ledger`` beside the spec."""
    return spec_file.with_name(f"{spec_file.stem}.ledger")


def last_passes(spec_file: Path, *, back: bool = False) -> Mapping[str, LastPass]:
    """Of each mailbox that was ever copied from the old server to the new one, or ``back``; only reads.

    Raises:
        JournalError: there is a ledger, and it cannot be read.

    """
    from reconciler.mailcopy.ledger.passes import read_passes  # noqa: PLC0415 - only where a spec copies mail

    source, target = ("new", "old") if back else ("old", "new")
    return read_passes(ledger_place(spec_file), source, target)


@contextmanager
def open_ledger(place: Path, clock: Clock) -> Iterator["SqlLedger"]:
    """The ledger, made where it is missing, for its owner alone; nobody else copies meanwhile.

    The lock is on a file of its own (flock, which ends with the process): closing the database's file a second time
    would drop the locks that SQLite holds on it.

    Raises:
        Locked: another copy of this move is running.
        JournalError: it cannot be opened or made.

    """
    from reconciler.mailcopy.ledger.sqlite import SqlLedger  # noqa: PLC0415 - only where mail is copied

    if "?" in str(place):
        raise JournalError(f"{place}: a ledger cannot stand below a path with a question mark; move the spec elsewhere")
    with _locked(place.with_name(f"{place.name}.lock")):
        try:
            if not place.exists():
                os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise JournalError(f"the mail ledger {place} cannot be made: {error.strerror}") from error
        ledger = SqlLedger(f"sqlite:///{place}", clock)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    try:
        descriptor = os.open(place, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise JournalError(f"{place}, which keeps two copies apart, cannot be made: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(
                f"{place}: the mail of this move is being copied by another process; two at once would copy messages "
                "twice. Wait for it, or stop it"
            ) from error
        yield
    finally:
        os.close(descriptor)
