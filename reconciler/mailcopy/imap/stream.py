"""Messages on their way: read ahead on the source, written in batches on the target, every answer in the ledger."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reconciler.errors import CommandRefused, ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.awake import say_something
from reconciler.mailcopy.imap.lane import Lane, spread
from reconciler.mailcopy.imap.reading import Brought, Job
from reconciler.mailcopy.imap.reading_ahead import ReadAhead
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.writing import Appender, Flight, Outgoing
from reconciler.mailcopy.model.accounting import Record
from reconciler.mailcopy.model.batches import FEWEST, batches
from reconciler.mailcopy.model.header_date import header_date
from reconciler.mailcopy.model.internal_date import sendable
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.refusal import Meaning, Pauses, fit_for_people, meaning
from reconciler.mailcopy.model.suspects import Side, Spot
from reconciler.mailcopy.pace import Pace

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

EMPTY = "the message has no octets, and APPEND takes an empty literal for a change of mind (RFC 3502, section 6.3.11)"


class TargetFull(CommandRefused):
    """The target takes no more mail."""


class Stream:
    """The two connections of a mailbox while messages flow; ``lanes`` by the source folder's raw name."""

    def __init__(
        self,
        source: Session,
        target: Session,
        ledger: "MailLedger",
        *,
        lanes: Mapping[bytes, Lane],
        moved: Callable[[Lane, int, int], None],
        paces: tuple[Pace, Pace],
        date_from_header: bool = False,
    ) -> None:
        """``moved`` hears of every batch: its lane, messages and octets; ``paces`` are the source's and target's."""
        self._source, self._target, self._ledger = source, target, ledger
        self._lanes, self._moved = lanes, moved
        self._read_pace = paces[0]
        self._appender = Appender(target, paces[1])
        self._from_header = date_from_header
        self._pauses = Pauses()
        self._held: list[tuple[Lane, int, str]] = []

    def run(self, jobs: deque[Job]) -> None:
        """Bring all jobs over.

        Raises:
            ConnectionCut: a connection was lost; the ledger knows which batches are in doubt.
            TargetFull: the target takes no more.
            CommandRefused: a target folder is not there any more.

        """
        try:
            while jobs:
                self._bring(jobs)
            for lane in self._lanes.values():
                lane.blocked = lane.blocked or lane.doubted
            self._end()
        finally:
            for flight in self._appender.flying:
                if not flight.sent:  # the server never saw the end of the command, so it stored nothing
                    self._ledger.drop(flight.told)
            for lane in self._lanes.values():
                lane.exists = self._appender.exists.get(lane.state.target, lane.exists)

    def _bring(self, jobs: deque[Job]) -> None:
        try:
            with ReadAhead(self._source, jobs, lambda: self._idle(jobs)) as ahead:
                for brought in ahead:
                    if brought.job.alone or self._target.wire.serial:
                        self._settle(self._finished(), jobs)
                    flight = self._load(brought, jobs)
                    if flight is not None:
                        with self._appending():
                            answered = self._appender.send(flight)
                        self._settle(answered, jobs)
                    if brought.job.alone:
                        self._settle(self._finished(), jobs)
                self._settle(self._finished(), jobs)
        except (ConnectionCut, ProtocolBroken) as error:
            if isinstance(error.spot, Spot) and error.spot.side is Side.SOURCE:
                self._settle(self._finished(), jobs)  # the target knows nothing of it
            raise

    def _idle(self, jobs: deque[Job]) -> None:
        """The source takes its time: what was sent is settled, and the target does not fall asleep."""
        self._settle(self._finished(), jobs)
        with self._appending():
            say_something(self._target)

    def _finished(self) -> list[Flight]:
        with self._appending():
            return self._appender.finish()

    @contextmanager
    def _appending(self) -> Iterator[None]:
        """What ends the target's connection has to do with the first message that is not answered for."""
        try:
            yield
        except ProtocolBroken as error:
            error.spot = self._appender.spot(error.tag)
            if told := self._appender.refused_whole(error.tag):
                self._ledger.drop(told)
            raise
        except ConnectionCut as error:
            error.spot = error.spot or self._appender.spot()
            raise

    def _load(self, brought: Brought, jobs: deque[Job]) -> Flight | None:
        lane = self._lanes[brought.job.raw]
        refused: list[Record] = []
        outgoing: list[Outgoing] = []
        octets = 0
        if brought.closed:
            lane.blocked = brought.closed
            _take_out(lane, jobs)
        for row in brought.job.rows:
            body = brought.bodies.pop(row.uid, None)
            if body is None:
                words = brought.absent.get(row.uid)
                if words:
                    refused.append(lane.refuse(row.uid, f"the source: {words}"))
                elif words is not None:
                    lane.vanished.add(row.uid)
            elif no := self.unfit(len(body)):
                refused.append(lane.refuse(row.uid, no))
            elif not lane.blocked:
                self._read_pace.take(len(body))
                octets += len(body)
                outgoing.append(Outgoing(row.uid, lane.flags_for(row), self._date(row, body), body))
        if refused:
            self._ledger.record(lane.state.number, refused)
        if not outgoing:
            return None
        told = self._ledger.begin(lane.state.number, [message.uid for message in outgoing], lane.uidnext)
        lane.uidnext += len(outgoing)
        return Flight(lane.state.target, outgoing, brought.job, told=told, octets=octets)

    def _date(self, row: Row, body: bytes) -> str | None:
        """As the source tells it; the message's own where the spec wants that, or the source tells none."""
        told = sendable(row.date)
        return header_date(body) or told if self._from_header or told is None else told

    def unfit(self, octets: int) -> str:
        """Why a message of that size cannot be sent at all."""
        if not octets:
            return EMPTY
        if self._target.largest is not None and octets > self._target.largest:
            return f"{octets} octets are more than {self._target.server} takes ({self._target.largest}, APPENDLIMIT)"
        return ""

    def _settle(self, flights: Sequence[Flight], jobs: deque[Job]) -> None:
        for flight in flights:
            lane = self._lanes[flight.job.raw]
            if flight.uidvalidity not in {0, lane.state.target_uidvalidity}:
                raise CommandRefused(f"{lane.title} was made anew on the target meanwhile", "")
            records = self._answered(flight, lane, jobs)
            self._ledger.record(lane.state.number, records, batch=flight.told)
            if flight.stored:
                lane.new += len(flight.stored)
                lane.octets += flight.octets
                self._moved(lane, len(flight.stored), flight.octets)
            self._stop_if_asked(flight)

    def _answered(self, flight: Flight, lane: Lane, jobs: deque[Job]) -> list[Record]:
        """What the answers mean, message by message."""
        together = self._appender.multi and len(flight.refused) > 1
        records: list[Record | None] = []
        for row in flight.job.rows:
            if row.uid in flight.stored:
                self._pauses.passed()
                self._record_held()
                records.append(lane.took(row, flight.flags[row.uid], flight.stored[row.uid]))
                records += lane.of_the_message()
            elif row.uid in flight.refused and not together:
                records.append(self._refused(flight, lane, row, jobs))
        if together:
            self._refused_together(flight, lane, jobs)
        return [record for record in records if record]

    def _refused(self, flight: Flight, lane: Lane, row: Row, jobs: deque[Job]) -> Record | None:
        """Of a message that was refused alone; None where nothing is decided yet."""
        words = flight.refused[row.uid]
        match meaning(words):
            case Meaning.FULL | Meaning.LOST:
                pass  # which ends it all, once what was stored is in the ledger
            case _ if lane.may_be_the_flags(row.uid, flight.flags[row.uid], words):
                jobs.appendleft(Job(flight.job.raw, (row,), alone=True))
            case Meaning.FOLDER if lane.may_be_the_folder(row.uid, words):
                pass
            case _ if self._pauses.asks(words):
                self._held.append((lane, row.uid, words))
            case _:
                if lane.no(words, lambda: _left(lane, jobs)):
                    _try_others(lane, jobs)
                return lane.refuse(row.uid, fit_for_people(words))
        return None

    @staticmethod
    def _refused_together(flight: Flight, lane: Lane, jobs: deque[Job]) -> None:
        """Halves are tried again until the one message is found that is the trouble."""
        words = next(iter(flight.refused.values()))
        if meaning(words) in {Meaning.FULL, Meaning.LOST} or lane.blocked:
            return
        left = tuple(row for row in flight.job.rows if row.uid in flight.refused)
        halves = left[: len(left) // 2], left[len(left) // 2 :]
        jobs.extendleft(Job(flight.job.raw, half, flight.job.alone) for half in reversed(halves))

    def _record_held(self) -> None:
        """Others have passed: the words of a pause were about these messages."""
        held, self._held = self._held, []
        for lane, uid, words in held:
            self._ledger.record(lane.state.number, [lane.refuse(uid, fit_for_people(words))])

    def _stop_if_asked(self, flight: Flight) -> None:
        if self._pauses.believed:
            raise self._pause()
        for words in flight.refused.values():
            said = fit_for_people(words)
            match meaning(words):
                case Meaning.FULL:
                    raise TargetFull(f"{self._target.server} takes no more mail for {self._target.user}: {said}", words)
                case Meaning.LOST:
                    raise CommandRefused(f"a folder went away on {self._target.server}: {said}", words)
                case _:
                    pass

    def _end(self) -> None:
        """What is still held was said to the last messages: a pause, unless it is said to them twice."""
        if self._held:
            lane, uid, _ = self._held[0]
            error = self._pause()
            error.spot = Spot(Side.TARGET, lane.state.source, (uid,))
            raise error

    def _pause(self) -> ConnectionCut:
        words = self._pauses.words
        return ConnectionCut(f"{self._target.server} asks for a pause: {fit_for_people(words)}", words)


def _try_others(lane: Lane, jobs: deque[Job]) -> None:
    """Put messages from all over the folder first: if none of them gets in, it is the folder that refuses."""
    rows = [row for job in _take_out(lane, jobs) for row in job.rows]
    chosen = list(spread(rows))
    uids = {row.uid for row in chosen}
    rest = [row for row in rows if row.uid not in uids]
    jobs.extendleft([Job(lane.state.source, tuple(group)) for group in batches(rest, FEWEST)][::-1])
    jobs.extendleft(Job(lane.state.source, (row,)) for row in reversed(chosen))


def _left(lane: Lane, jobs: deque[Job]) -> int:
    """How many messages of the folder are not read yet."""
    return sum(len(job.rows) for job in tuple(jobs) if job.raw == lane.state.source)


def _take_out(lane: Lane, jobs: deque[Job]) -> list[Job]:
    """The jobs of the folder that are not read yet; another thread may take one meanwhile."""
    left: list[Job] = []
    with suppress(IndexError):
        while True:
            left.append(jobs.popleft())
    jobs.extend(job for job in left if job.raw != lane.state.source)
    return [job for job in left if job.raw == lane.state.source]
