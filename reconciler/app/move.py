"""What is known of a move without asking its servers: the spec, its digest, the kinds, and where its journal is."""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.app.products import SERVERS, ZONES, Options
from reconciler.engine.desire import Kinds
from reconciler.errors import Problem, SpecError
from reconciler.extend import RecordKind, ServerKind
from reconciler.journal.open import journal_place, open_journal, read_journal
from reconciler.journal.view import JournalView
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.plugins import discover
from reconciler.ports import Clock
from reconciler.spec.load import load
from reconciler.spec.spec import Spec

if TYPE_CHECKING:
    from reconciler.journal.journal import DatabaseJournal


@dataclass(frozen=True, slots=True)
class Move:
    """A sound spec and the file that it was read from."""

    path: Path
    spec: Spec
    clock: Clock

    @classmethod
    def load(cls, path: Path, clock: Clock) -> "Move":
        """Read the spec.

        Raises:
            SpecError: with every problem found.

        """
        return cls(path, load(path, Options(SERVERS), Options(ZONES)), clock)

    @property
    def journal_place(self) -> Path | str:
        """A file or a URL."""
        return journal_place(self.path, self.spec.journal)

    @property
    def folder(self) -> Path:
        """Where relative paths of the spec start, without ``..`` and links, so that paths can be compared."""
        return self.path.parent.resolve()

    def digest(self) -> str:
        """SHA-256, in hex, of what the spec and its CSV say: comments and the order of keys do not count."""
        said = json.dumps(self.spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()

    def past(self) -> AbstractContextManager[JournalView]:
        """The journal, only to read; it need not exist."""
        return read_journal(self.journal_place, self.spec.domain, types(), self.clock)

    def journal(self) -> AbstractContextManager["DatabaseJournal"]:
        """The journal, made where it is missing."""
        return open_journal(self.journal_place, self.spec.domain, types(), self.clock)


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Every problem of a spec, with file, line and column; none if it is sound. Contacts nothing."""
    try:
        load(path, Options(SERVERS), Options(ZONES))
    except SpecError as error:
        return error.problems
    return ()


@cache
def kinds() -> Kinds:
    """Every kind of thing that exists."""
    return Kinds(
        tuple(
            kind
            for room in ("server", "mail")
            for kind in discover(f"reconciler.resources.{room}", ServerKind).values()
        ),
        tuple(discover("reconciler.resources.dns", RecordKind).values()),
    )


def types() -> dict[str, type[Resource]]:
    """Kind to class, for reading plans and journals."""
    return {**kinds().types, RRset.kind: RRset}
