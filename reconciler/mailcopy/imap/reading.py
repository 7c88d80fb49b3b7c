"""Whole messages, read ahead: the next FETCH is on the wire before the last one is through."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.grammar import fetched, quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.refusal import Meaning, Pauses, meaning
from reconciler.mailcopy.model.suspects import Side, Spot

_AHEAD = 4
"""FETCH commands on the wire."""

_OCTETS_AHEAD = 16 * 1024 * 1024
"""What they may bring together; it waits in the server and the kernel, not here."""


_FEW = 8
"""Messages that are asked for one by one where all were refused together; more are halved."""


class Job(NamedTuple):
    """Messages of one folder to be read, and later written, together.

    ``alone``: nothing else is on either wire meanwhile, so that whatever happens is about these.
    """

    raw: bytes
    rows: tuple[Row, ...]
    alone: bool = False

    @property
    def octets(self) -> int:
        """As the server told them."""
        return sum(row.size for row in self.rows)


@dataclass(slots=True)
class Brought:
    """A job done. ``absent``: UID to the server's words, empty if it said nothing: mostly the message vanished.

    What is in neither is asked for again, or was not answered for before the connection ended. ``closed``: the server's
    words, if it does not open the folder.
    """

    job: Job
    bodies: dict[int, bytes] = field(default_factory=dict)
    absent: dict[int, str] = field(default_factory=dict)
    closed: str = ""

    @property
    def octets(self) -> int:
        """As many as came."""
        return sum(map(len, self.bodies.values()))


class _Pending:
    """A job on the wire. ``closed``: the folder could not be opened, so that rows are another's."""

    def __init__(self, job: Job, opening: bytes | None, tags: set[bytes]) -> None:
        self.brought = Brought(job)
        self.opening, self.tags, self.words, self.bad = opening, tags, "", False
        self.closed = False
        self.uids = {row.uid for row in job.rows}

    @property
    def missing(self) -> tuple[Row, ...]:
        return tuple(row for row in self.brought.job.rows if row.uid not in self.brought.bodies)


def read_messages(
    session: Session, jobs: deque[Job], take_in: Callable[[Job], None] = lambda _: None
) -> Iterator[Brought]:
    """Every job in order, until there are none; jobs may be added meanwhile.

    Servers may run commands side by side, so a row is told by its UID, never by the command that is due. Where a
    server says NO to a job, its missing messages are asked for one by one. ``take_in`` is told of a job whose messages
    are about to come in, and may keep them waiting in the server. When the connection ends, what has come of the first
    job is brought before that is raised.

    Raises:
        ConnectionCut: the connection has ended, with the messages that were on the wire; or three messages in a row
            were refused in words that ask for a pause.

    """
    reader = _Reader(session, jobs)
    try:
        while first := reader.next():
            take_in(first.brought.job)
            yield from reader.read(first)
        reader.end()
    except (ConnectionCut, ProtocolBroken) as error:
        if reader.pending:
            first = reader.pending[0]
            of_messages = not first.opening and session.side is Side.SOURCE  # whose UIDs they are known by
            uids = tuple(row.uid for row in first.missing) if of_messages else ()
            error.spot = error.spot or Spot(session.side, first.brought.job.raw, uids)
            if first.brought.bodies:
                yield first.brought
        raise


class _Reader:
    """What is on the wire, and what the server's answers to single messages mean."""

    def __init__(self, session: Session, jobs: deque[Job]) -> None:
        self._session, self._jobs = session, jobs
        self.pending: deque[_Pending] = deque()
        self._opened: bytes | None = None
        self._pauses = Pauses()
        self._held: list[Brought] = []

    def next(self) -> _Pending | None:
        """Send what may be sent; the first job on the wire."""
        while job := self._next_job():
            self.pending.append(self._send(job))
            self._opened = job.raw
        return self.pending[0] if self.pending else None

    def read(self, first: _Pending) -> Iterator[Brought]:
        """The first job, when it is answered; what was refused in words of a pause waits for the next message."""
        while first.tags or first.opening:
            response = self._session.wire.read()
            if isinstance(response, list):
                self._sort_in(response)
            elif isinstance(response, Answer):
                self._answered(response)
        self.pending.popleft()
        if first.closed:
            self._opened = None
        brought = self._settled(first)
        if len(first.uids) == 1 and brought.absent and self._pauses.asks(first.words):
            self._held.append(brought)
            if self._pauses.believed:
                raise ConnectionCut(f"{self._session.server} asks for a pause: {first.words}", first.words)
            return
        if brought.bodies:
            self._pauses.passed()
            held, self._held = self._held, []
            yield from held
        yield brought

    def end(self) -> None:
        """What is still held was said to the last messages: a pause, unless it is said to them twice."""
        if self._held:
            job, words = self._held[0].job, self._pauses.words
            error = ConnectionCut(f"{self._session.server} asks for a pause: {words}", words)
            error.spot = Spot(self._session.side, job.raw, tuple(row.uid for row in job.rows))
            raise error

    def _next_job(self) -> Job | None:
        """Taken before it is looked at: another thread may take jobs out and put others first at any time."""
        try:
            job = self._jobs.popleft()
        except IndexError:
            return None
        if self._may_send(job):
            return job
        self._jobs.appendleft(job)
        return None

    def _may_send(self, job: Job) -> bool:
        if not self.pending:
            return True
        if self._session.wire.serial or job.alone or self.pending[-1].brought.job.alone:
            return False
        ahead = sum(entry.brought.job.octets for entry in self.pending)
        return len(self.pending) < _AHEAD and ahead + job.octets < _OCTETS_AHEAD

    def _send(self, job: Job) -> _Pending:
        wire = self._session.wire
        opening = wire.command(b"EXAMINE " + quoted(job.raw)) if job.raw != self._opened else None
        tags = {
            wire.command(b"UID FETCH " + chosen.encode() + b" (UID BODY.PEEK[])")
            for chosen in uid_set.write(row.uid for row in job.rows)
        }
        return _Pending(job, opening, tags)

    def _sort_in(self, parts: Parts) -> None:
        """A row belongs to the folder that is open: jobs behind an EXAMINE that is not answered yet are not asked."""
        row = fetched(parts)
        if row is None or row.uid is None or row.body is None:
            return
        for entry in self.pending:
            if entry.opening is not None and entry is not self.pending[0]:
                return
            if row.uid in entry.uids:
                if not entry.closed and entry.opening is None:
                    entry.brought.bodies[row.uid] = row.body
                return

    def _answered(self, answer: Answer) -> None:
        for entry in self.pending:
            if answer.tag == entry.opening:
                entry.opening = None
                if not answer.ok:
                    self._not_opened(entry, answer.words)
                return
            if answer.tag in entry.tags:
                entry.tags.discard(answer.tag)
                if not answer.ok:
                    entry.words, entry.bad = entry.words or answer.words or "refused", entry.bad or answer.bad
                return

    def _not_opened(self, refused: _Pending, words: str) -> None:
        """Nothing that comes for this folder is of it, until it is opened."""
        behind = False
        for entry in self.pending:
            behind = behind or entry is refused
            if behind and entry.brought.job.raw == refused.brought.job.raw:
                entry.closed, entry.words = True, entry.words or words or "refused"

    def _settled(self, entry: _Pending) -> Brought:
        """Of a job that was refused, the messages that did not come are asked for alone, before they are given up."""
        brought, missing = entry.brought, entry.missing
        lost = not entry.closed and meaning(entry.words) is Meaning.LOST
        again: list[tuple[Row, ...]] = []
        if entry.words and missing and not lost:
            if entry.closed and not brought.job.alone:
                again = [missing]
            elif entry.closed:
                brought.closed = entry.words
            elif len(entry.uids) > 1 and not brought.bodies and len(missing) > _FEW:
                again = [missing[: len(missing) // 2], missing[len(missing) // 2 :]]
            elif len(entry.uids) > 1 or not brought.job.alone:
                again = [(row,) for row in missing]
        if again:
            self._session.wire.serial = self._session.wire.serial or entry.bad
            self._jobs.extendleft(Job(brought.job.raw, rows, alone=True) for rows in reversed(again))
        elif not brought.closed:
            brought.absent.update((row.uid, "" if lost else entry.words) for row in missing)
        return brought
