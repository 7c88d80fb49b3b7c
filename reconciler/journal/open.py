"""Where a move's journal is, and how it is opened; SQLAlchemy is loaded when a journal really is."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import JournalError
from reconciler.journal.view import JournalView, NoJournal
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.ports import Clock
from reconciler.spec.database_url import shown

if TYPE_CHECKING:
    from reconciler.journal.database import Database
    from reconciler.journal.journal import DatabaseJournal

_SQLITE: Final = re.compile(r"sqlite(?:\+\w+)?:///(?P<file>.+)\Z")


def journal_place(spec_file: Path, url: str | None = None) -> Path | str:
    """The SQLite file or the URL of a spec's journal: ``SPEC.journal`` beside the spec, if ``url`` is silent.

    A relative SQLite file (``sqlite:///moves/example.journal``) is relative to the spec's folder.

    Raises:
        JournalError: the URL names a SQLite database that would not outlive the run, or options of it.

    """
    if url is None:
        return spec_file.with_name(f"{spec_file.stem}.journal")
    if not url.startswith("sqlite"):
        return url
    sqlite = _SQLITE.match(url)
    if sqlite is None or ":memory:" in url or "?" in url:
        what = "write sqlite:/// and a path, relative to the spec or absolute, no options"
        msg = f"the journal {shown(url)} is no file: {what}"
        raise JournalError(msg)
    return spec_file.parent / sqlite["file"]


@contextmanager
def open_journal(
    place: Path | str, domain: str, types: Mapping[str, type[Resource]], clock: Clock
) -> Iterator["DatabaseJournal"]:
    """The journal, made where it is missing; take its ``lock`` before opening a run.

    Raises:
        JournalError: it cannot be opened or made, is damaged, another program's, or of a newer version.

    """
    from reconciler.journal.journal import DatabaseJournal  # noqa: PLC0415 - brings SQLAlchemy with it
    from reconciler.journal.lock import Lock  # noqa: PLC0415
    from reconciler.journal.past import Past  # noqa: PLC0415

    database = _database(place, create=True)
    lock = Lock(database, domain, clock)
    try:
        database.prepare()
        past = Past(database, domain, _known(types), clock)
        yield DatabaseJournal(database, domain, past, lock, clock)
    finally:
        lock.close()
        database.close()


@contextmanager
def read_journal(
    place: Path | str, domain: str, types: Mapping[str, type[Resource]], clock: Clock
) -> Iterator[JournalView]:
    """The past alone: makes and writes nothing, and needs no journal to exist.

    Raises:
        JournalError: it cannot be read, is damaged, another program's, or of a newer version.

    """
    if isinstance(place, Path) and not place.exists():
        yield NoJournal()
        return
    from reconciler.journal.past import Past  # noqa: PLC0415 - brings SQLAlchemy with it

    database = _database(place, create=False)
    try:
        yield NoJournal() if database.is_empty() else Past(database, domain, _known(types), clock)
    finally:
        database.close()


def _database(place: Path | str, *, create: bool) -> "Database":
    from reconciler.journal.database import open_sqlite, open_url  # noqa: PLC0415 - brings SQLAlchemy with it

    return open_sqlite(place, create=create) if isinstance(place, Path) else open_url(place)


def _known(types: Mapping[str, type[Resource]]) -> Mapping[str, type[Resource]]:
    return {RRset.kind: RRset, **types}  # sightings are RRsets, whatever kinds the move has
