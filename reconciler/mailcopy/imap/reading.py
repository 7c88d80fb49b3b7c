"""Whole messages, read ahead: the next FETCH is on the wire before the last one is through."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.mailcopy.imap.grammar import fetched, quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.refusal import Meaning, meaning

_AHEAD = 4
"""FETCH commands on the wire."""

_OCTETS_AHEAD = 16 * 1024 * 1024
"""What they may bring together; it waits in the server and the kernel, not here."""


class Job(NamedTuple):
    """Messages of one folder to be read, and later written, together."""

    raw: bytes
    rows: tuple[Row, ...]

    @property
    def octets(self) -> int:
        """As the server told them."""
        return sum(row.size for row in self.rows)


@dataclass(slots=True)
class Brought:
    """A job done. ``absent``: UID to the server's words, empty if it said nothing: mostly the message vanished."""

    job: Job
    bodies: dict[int, bytes] = field(default_factory=dict)
    absent: dict[int, str] = field(default_factory=dict)


class _Pending:
    """A job on the wire."""

    def __init__(self, job: Job, opening: bytes | None, tags: set[bytes]) -> None:
        self.brought = Brought(job)
        self.opening, self.tags, self.words = opening, tags, ""
        self.uids = {row.uid for row in job.rows}


def read_messages(
    session: Session, jobs: deque[Job], take_in: Callable[[Job], None] = lambda _: None
) -> Iterator[Brought]:
    """Every job in order, until there are none; jobs may be added meanwhile.

    Servers may run commands side by side, so a row is told by its UID, never by the command that is due. Where a
    server says NO to a job, its missing messages are asked for one by one. ``take_in`` is told of a job whose messages
    are about to come in, and may keep them waiting in the server.
    """
    pending: deque[_Pending] = deque()
    opened: bytes | None = None
    while pending or jobs:
        while jobs and (not pending or (len(pending) < _AHEAD and _octets(pending) + jobs[0].octets < _OCTETS_AHEAD)):
            job = jobs.popleft()
            pending.append(_send(session, job, reopen=job.raw != opened))
            opened = job.raw
        first = pending[0]
        take_in(first.brought.job)
        while first.tags:
            response = session.wire.read()
            if isinstance(response, list):
                _sort_in(response, pending)
            elif isinstance(response, Answer):
                _answered(response, pending)
        pending.popleft()
        yield _settled(first, jobs)


def _octets(pending: deque[_Pending]) -> int:
    return sum(entry.brought.job.octets for entry in pending)


def _send(session: Session, job: Job, *, reopen: bool) -> _Pending:
    opening = session.wire.command(b"EXAMINE " + quoted(job.raw)) if reopen else None
    tags = {
        session.wire.command(b"UID FETCH " + chosen.encode() + b" (UID BODY.PEEK[])", may_fail=True)
        for chosen in uid_set.write(row.uid for row in job.rows)
    }
    return _Pending(job, opening, tags)


def _sort_in(parts: Parts, pending: deque[_Pending]) -> None:
    """A row belongs to the folder that is open: jobs behind an EXAMINE that is not answered yet are not asked."""
    row = fetched(parts)
    if row is None or row.uid is None or row.body is None:
        return
    for entry in pending:
        if entry.opening is not None and entry is not pending[0]:
            return
        if row.uid in entry.uids:
            entry.brought.bodies[row.uid] = row.body
            return


def _answered(answer: Answer, pending: deque[_Pending]) -> None:
    for entry in pending:
        if answer.tag == entry.opening:
            entry.opening = None
            entry.words = entry.words or ("" if answer.ok else answer.words)
            return
        if answer.tag in entry.tags:
            entry.tags.discard(answer.tag)
            entry.words = entry.words or ("" if answer.ok else answer.words)
            return


def _settled(entry: _Pending, jobs: deque[Job]) -> Brought:
    missing = [row for row in entry.brought.job.rows if row.uid not in entry.brought.bodies]
    lost = meaning(entry.words) is Meaning.LOST
    if entry.words and len(entry.uids) > 1 and not lost:
        jobs.extendleft(Job(entry.brought.job.raw, (row,)) for row in reversed(missing))
    else:
        entry.brought.absent.update((row.uid, "" if lost else entry.words) for row in missing)
    return entry.brought
