"""Everything the engine asks of the outside world, and nothing more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Final, Protocol, TypeVar

from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.model.sighting import History

R_co = TypeVar("R_co", bound=Resource, covariant=True)


class Store(Protocol[R_co]):
    """One kind of resource in one place, as a backend keeps it.

    ``batch`` is how many changes one ``write`` may carry (1: one by one). A write is all or nothing when ``batch`` is
    over 1 (stored mail excepted, of which any part stands), and compares before it swaps: where the world is no longer
    ``before``, nothing is written.
    """

    batch: int

    def read(self, names: Collection[str] | None = None) -> Iterable[R_co]:
        """What exists, in normal form; with names, at least those of them that exist (a fresh reading).

        Raises:
            ObserveError: it could not be read.

        """

    def write(self, changes: Sequence[Change], /) -> None:
        """Carry the changes out, durably. ``after`` of an RRset holds no reference any more.

        Raises:
            StalePlan: what stands is not the ``before`` of a change; nothing was written.
            WriteError: it could not be written; what stood before still stands.
            NotServedYet: it is written and stands, but not every name server of the zone serves it yet.
            NotYet: the world is not ready for it; the run ends here, and the next plan says when it can go on.

        """


class NameServers(Protocol):
    """What the world is being told: the name servers of the zone, each one by itself."""

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """Name server to RRset name to what it serves now; None is an authoritative "there is none".

        Raises:
            ObserveError: a name server did not answer.

        """


class Clock(Protocol):
    """The time, so that tests can own it."""

    def now(self) -> datetime:
        """Aware, UTC."""


class Secrets(Protocol):
    """Turns references into secrets at the moment of sending."""

    def reveal(self, reference: str, /) -> Secret:
        """The secret behind ``env:``, ``file:`` or ``command:``.

        Raises:
            SecretError: there is none.

        """


@dataclass(frozen=True, slots=True)
class Stat:
    """What a file is: owner and group as numbers, permission bits, and a signature that changes with the content."""

    uid: int
    gid: int
    mode: int
    signature: tuple[int, ...]


class Whatever(Enum):
    """The type of WHATEVER."""

    STANDS = "whatever stands"


WHATEVER: Final = Whatever.STANDS
"""What a write may replace where nobody has read it."""


class Transport(Protocol):
    """Files and programs of one machine: this one, or one behind SSH. Paths are absolute.

    Every method raises ObserveError (reading) or WriteError (writing) with the path in the message.
    """

    def stat(self, path: PurePath) -> Stat | None:
        """Of the file itself or, for a symbolic link, of what it points to; None if there is nothing."""

    def read(self, path: PurePath) -> bytes | None:
        """The whole content; None if there is no such file."""

    def read_many(self, paths: Sequence[PurePath]) -> Mapping[PurePath, bytes]:
        """The contents of those that exist, in few round trips."""

    def read_links(self, paths: Sequence[PurePath]) -> Mapping[PurePath, str]:
        """The targets, as written, of those that are symbolic links."""

    def locked(self, paths: Sequence[PurePath]) -> AbstractContextManager[None]:
        """Keep everybody else who takes these locks from changing the files, here and over SSH; not to be nested.

        The files need not exist, their folders must. Who knows nothing of the lock is noticed by ``over`` of ``write``.

        Raises:
            WriteError: a lock could not be had in a bounded time; says which, and what to do.

        """

    def write(
        self,
        path: PurePath,
        content: bytes,
        *,
        like: Stat | None = None,
        mode: int = 0o640,
        over: bytes | Whatever | None = WHATEVER,
    ) -> None:
        """Replace atomically (temporary file beside it, fsync, rename), through a symbolic link to its target.

        Owner and mode stay as they were; a new file gets those of ``like`` or, without, ``mode``. ``over`` is what was
        read before (None: no file); it is compared with what stands at the last moment before the rename.

        Raises:
            StalePlan: something else stands there; nothing was written.

        """

    def link(self, path: PurePath, target: str) -> None:
        """Make or replace a symbolic link, atomically."""

    def make_directory(self, path: PurePath, *, like: Stat | None = None) -> None:
        """Make it and its parents where they are missing, owned like ``like``."""

    def remove(self, path: PurePath) -> None:
        """Remove a file or symbolic link; absent is fine."""

    def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> bytes:
        """Run a program and give its standard output; a status other than 0 is an error that quotes its stderr."""

    def which(self, program: str) -> str | None:
        """The absolute path of a program, if the machine has it."""


class Journal(Protocol):
    """Written ahead of every write; holds what the world itself cannot tell."""

    def open_run(self, plan: Plan) -> int:
        """Begin a run and give its number."""

    def begin(self, run: int, steps: Sequence[Step]) -> None:
        """Record, durably, what is about to be done, with the values before."""

    def done(self, run: int, steps: Sequence[Step]) -> None:
        """Record that it was done, and what was read back: the ``after`` of the steps."""

    def failed(self, run: int, steps: Sequence[Step], why: str) -> None:
        """Record that it could not be done."""

    def close_run(self, run: int, outcome: str) -> None:
        """End a run: ``done``, ``stopped``, ``failed`` or ``stale``."""

    def baselines(self) -> Mapping[Address, Resource | None]:
        """For each address that this move changed and has not put back: the value before the first change."""

    def see(self, served: Mapping[str, Mapping[str, RRset | None]], at: datetime) -> None:
        """Note what each name server serves; a new sighting only where it differs from the last one."""

    def histories(self) -> Mapping[str, History]:
        """RRset name to its sightings."""

    def hold(self) -> None:
        """Make sure that the lock on the move is still held: asked before each write, and at the end of a run.

        Raises:
            Locked: it was lost to another run.

        """
