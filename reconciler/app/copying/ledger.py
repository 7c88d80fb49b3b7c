"""The ledger of a move's mail copy: a file beside the spec that the processes of one machine share."""

import fcntl
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import JournalError, Locked
from reconciler.model.last_pass import LastPass
from reconciler.ports import Clock
from reconciler.transports import owner_files
from reconciler.transports.process import machine

if TYPE_CHECKING:
    from reconciler.mailcopy.ledger.sqlite import SqlLedger

_ROUNDS: Final = 50  # of meeting somebody who writes the machine's name at this moment
_MOMENT: Final = 0.02  # seconds


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
    """The ledger, made where it is missing, for its owner alone; no other machine has it open meanwhile.

    That is what SQLite's WAL mode asks for, and what tells for certain whether whoever holds a mailbox still lives.
    Which mailbox is whose turn is another matter: see ``reconciler.app.copying.turns``.

    Raises:
        Locked: another machine, to which this folder is shared, has it open.
        JournalError: it cannot be opened or made.

    """
    from reconciler.mailcopy.ledger.sqlite import SqlLedger  # noqa: PLC0415 - only where mail is copied

    if "?" in str(place):
        raise JournalError(f"{place}: a ledger cannot stand below a path with a question mark; move the spec elsewhere")
    with _on_this_machine(place.with_name(f"{place.name}.lock")):
        try:
            owner_files.make_database(place)
        except OSError as error:
            raise JournalError(f"the mail ledger {place} cannot be made: {error.strerror}") from error
        ledger = SqlLedger(f"sqlite:///{place}", clock)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def _on_this_machine(place: Path) -> Iterator[None]:
    """Shared by the processes of one machine, whose name stands in the file.

    The lock is on a file of its own (flock, which ends with the process): closing the database's file a second time
    would drop the locks that SQLite holds on it.
    """
    try:
        descriptor = os.open(place, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise JournalError(f"{place}, which keeps two machines apart, cannot be made: {error.strerror}") from error
    here = (machine() or platform.node()).encode()
    try:
        if not _is_shared(descriptor, here):
            raise Locked(
                f"{place}: the mail of this move is being copied by another machine or container, and a ledger can be "
                "written by one at a time. Wait for it, or stop it; or give each a folder of its own, and a journal in "
                "PostgreSQL that both share"
            )
        yield
    finally:
        os.close(descriptor)


def _is_shared(descriptor: int, here: bytes) -> bool:
    """Whether the lock is held now, together with nobody but this machine's processes.

    To give up a lock for a weaker one is two steps to the kernel, so somebody else can come in between: what counts is
    which name is read while the lock is held.
    """
    for _ in range(_ROUNDS):
        if _flock(descriptor, fcntl.LOCK_EX):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, here, 0)
        if not _flock(descriptor, fcntl.LOCK_SH):
            time.sleep(_MOMENT)
        elif os.pread(descriptor, len(here) + 1, 0) == here:
            return True
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
