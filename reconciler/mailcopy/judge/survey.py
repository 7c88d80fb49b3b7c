"""The judge's own look at a mailbox: LIST in its plainest form, and every folder opened, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.errors import MailboxSuspect
from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.survey import Survey
from reconciler.mailcopy.judge.connection import Connection, Said, quoted
from reconciler.mailcopy.judge.lists import Names
from reconciler.mailcopy.judge.opening import Opening
from reconciler.mailcopy.model.folder import Folder
from reconciler.model.grade import Difference, Kind

_LIST_ITSELF: Final = "(the list of folders)"
_DEEPEST: Final = 20
"""Levels of folders."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One side. ``survey`` is what the mapping of folders wants to know; ``refused``: the server's words, by raw name.

    ``doubts``: what of the list itself could not be judged. ``is_all``: the server listed to the end.
    """

    survey: Survey
    refused: Mapping[bytes, str]
    doubts: tuple[Difference, ...]
    is_all: bool

    @property
    def selectable(self) -> Mapping[bytes, Folder]:
        """The folders that can hold messages, by raw name."""
        return {folder.raw: folder for folder in self.survey.folders if folder.selectable}


def look(connection: Connection, *, every: bool) -> Looked:
    """The user's own folders; ``every``: each is opened, else INBOX alone.

    Raises:
        MailboxSuspect: INBOX cannot be opened, or no folder is listed.

    """
    names = Names()
    if connection.session.can("NAMESPACE"):
        for parts in connection.ask(b"NAMESPACE"):
            names.hear(parts)
    said = _listed(connection, names)
    if not names.attributes and not said.ok:
        raise MailboxSuspect(f"the folders of {connection} cannot be listed: {said.words}")
    names.attributes.setdefault(b"INBOX", frozenset())  # it exists, listed or not (RFC 3501, section 5.1)
    namespace = names.namespace()
    folders = names.folders(namespace)
    status: dict[bytes, Status] = {}
    refused: dict[bytes, str] = {}
    for folder in folders:
        if folder.selectable and (every or folder.raw == b"INBOX"):
            opened = _opened(connection, folder.raw)
            if isinstance(opened, Status):
                status[folder.raw] = opened
            else:
                refused[folder.raw] = opened
    if b"INBOX" in refused:
        raise MailboxSuspect(f"INBOX of {connection} cannot be opened: {refused[b'INBOX']}")
    doubts = [] if said.ok else [Difference(_LIST_ITSELF, Kind.UNJUDGED, 1, example=said.words)]
    if names.odd:
        doubts.append(Difference(_LIST_ITSELF, Kind.UNJUDGED, len(names.odd), example=names.odd[0]))
    return Looked(Survey(namespace, folders, status, (), is_marked=True), refused, tuple(doubts), said.ok)


def _listed(connection: Connection, names: Names) -> Said:
    """All at once; where the server refuses that, level by level, and its words if it refuses some of that too."""
    for parts in connection.ask(b'LIST "" "*"'):
        names.hear(parts)
    refused, seen, level = connection.said, set[bytes](), {b""}
    if refused.ok:
        return refused
    for _ in range(_DEEPEST):
        for prefix in sorted(level):
            for parts in connection.ask(b'LIST "" ' + quoted(prefix + b"%")):
                names.hear(parts)
            if not connection.said.ok:
                return refused
        seen |= level
        level = {raw + cut.encode("latin-1") for raw, cut in names.separators.items() if cut} - seen
        if not level:
            return connection.said
    return refused


def _opened(connection: Connection, raw: bytes) -> Status | str:
    """Where the folder stands, or the server's words."""
    opening = Opening()
    for attempt in (1, 2):
        for parts in connection.open(raw):
            opening.hear(parts)
        if connection.said.ok or raw != b"INBOX" or attempt > 1:
            break
        connection.identify()  # INBOX exists, so the server may want to know first who asks
    if not connection.said.ok:
        return connection.said.words
    return Status(opening.exists or 0, opening.uidnext, opening.uidvalidity, 0)
