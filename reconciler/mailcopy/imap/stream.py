"""Messages on their way: read ahead on the source, written in batches on the target, every answer in the ledger."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import CommandRefused, ConnectionCut
from reconciler.mailcopy.imap.reading import Brought, Job
from reconciler.mailcopy.imap.reading_ahead import ReadAhead
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.writing import Appender, Flight, Outgoing
from reconciler.mailcopy.model.accounting import Fate, Record, Refusal
from reconciler.mailcopy.model.flags import EVERYTHING, Allowed, storable
from reconciler.mailcopy.model.internal_date import sendable
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.refusal import Meaning, fit_for_people, meaning
from reconciler.mailcopy.pace import Pace

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

_SAME_NO = 25
"""Messages refused one after the other in the same words: then it is the folder that refuses, not each of them."""

EMPTY = "the message has no octets, and APPEND takes an empty literal for a change of mind (RFC 3502, section 6.3.11)"


class TargetFull(CommandRefused):
    """The target takes no more mail."""


@dataclass(slots=True)
class Lane:
    """One folder being copied. ``uidnext`` is what the target's is expected to be; ``blocked`` why nothing gets in."""

    title: str
    state: FolderState
    uidnext: int
    allowed: Allowed = EVERYTHING
    blocked: str = ""
    new: int = 0
    octets: int = 0
    vanished: set[int] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    untold: set[int] = field(default_factory=set)
    _said: str = ""
    _times: int = 0

    def no(self, words: str) -> None:
        """Count a message refused on its own; too many in the same words block the folder."""
        self._times = self._times + 1 if words == self._said else 1
        self._said = words
        if self._times >= _SAME_NO:
            self.blocked = words

    def yes(self) -> None:
        """A message got in."""
        self._times = 0


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
    ) -> None:
        """``moved`` hears of every batch: its lane, messages and octets; ``paces`` are the source's and target's."""
        self._source, self._target, self._ledger = source, target, ledger
        self._lanes, self._moved = lanes, moved
        self._read_pace = paces[0]
        self._appender = Appender(target, paces[1])

    def run(self, jobs: deque[Job]) -> None:
        """Bring all jobs over.

        Raises:
            ConnectionCut: a connection was lost; the ledger knows which batches are in doubt.
            TargetFull: the target takes no more.
            CommandRefused: a target folder is not there any more.

        """
        try:
            while jobs:
                with ReadAhead(self._source, jobs) as ahead:
                    for brought in ahead:
                        flight = self._load(brought)
                        if flight is not None:
                            self._settle(self._appender.send(flight), jobs)
                        ahead.let_go(brought.job)
                    self._settle(self._appender.finish(), jobs)
        finally:
            for flight in self._appender.flying:
                if not flight.sent:  # the server never saw the end of the command, so it stored nothing
                    self._ledger.drop(flight.told)

    def _load(self, brought: Brought) -> Flight | None:
        lane = self._lanes[brought.job.raw]
        refused: list[Record] = []
        outgoing: list[Outgoing] = []
        octets = 0
        for row in brought.job.rows:
            body = brought.bodies.pop(row.uid, None)
            if body is None:
                words = brought.absent.get(row.uid)
                if words:
                    refused.append(self._refuse(lane, row.uid, f"the source: {words}"))
                elif words is not None:
                    lane.vanished.add(row.uid)
            elif no := self.unfit(len(body)):
                refused.append(self._refuse(lane, row.uid, no))
            elif not lane.blocked:
                self._read_pace.take(len(body))
                octets += len(body)
                outgoing.append(Outgoing(row.uid, storable(row.flags, lane.allowed), sendable(row.date), body))
        if refused:
            self._ledger.record(lane.state.number, refused)
        if not outgoing:
            return None
        told = self._ledger.begin(lane.state.number, [message.uid for message in outgoing], lane.uidnext)
        lane.uidnext += len(outgoing)
        return Flight(lane.state.target, outgoing, brought.job, told=told, octets=octets)

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
            records = self._stored(flight, lane)
            if flight.refused:
                records += self._refused(flight, lane, jobs)
            self._ledger.record(lane.state.number, records, batch=flight.told)
            if flight.stored:
                lane.yes()
                lane.new += len(flight.stored)
                lane.octets += flight.octets
                self._moved(lane, len(flight.stored), flight.octets)
            self._stop_if_asked(flight)

    @staticmethod
    def _stored(flight: Flight, lane: Lane) -> list[Record]:
        flags = {row.uid: row.flags for row in flight.job.rows}
        lane.untold.update(uid for uid, target_uid in flight.stored.items() if not target_uid)
        return [Record(uid, Fate.COPIED, there, flags[uid]) for uid, there in flight.stored.items()]

    def _refused(self, flight: Flight, lane: Lane, jobs: deque[Job]) -> list[Record]:
        """What a NO means for the messages: halves are tried again until the one is found that is the trouble."""
        words = next(iter(flight.refused.values()))
        match meaning(words):
            case Meaning.FOLDER:
                lane.blocked = words
            case Meaning.MESSAGE if len(flight.refused) == 1 or not self._appender.multi:
                records = []
                for uid, said in flight.refused.items():
                    records.append(self._refuse(lane, uid, fit_for_people(said)))
                    lane.no(said)
                return records
            case Meaning.MESSAGE if not lane.blocked:
                rows = [row for row in flight.job.rows if row.uid in flight.refused]
                half = len(rows) // 2
                jobs.extendleft([Job(flight.job.raw, tuple(rows[half:])), Job(flight.job.raw, tuple(rows[:half]))])
            case _:
                pass
        return []

    def _stop_if_asked(self, flight: Flight) -> None:
        for words in flight.refused.values():
            said = fit_for_people(words)
            match meaning(words):
                case Meaning.FULL:
                    raise TargetFull(f"{self._target.server} takes no more mail for {self._target.user}: {said}", words)
                case Meaning.SLOW_DOWN | Meaning.USED_UP:
                    raise ConnectionCut(f"{self._target.server} asks for a pause: {said}", words)
                case Meaning.LOST:
                    raise CommandRefused(f"a folder went away on {self._target.server}: {said}", words)
                case _:
                    pass

    @staticmethod
    def _refuse(lane: Lane, uid: int, words: str) -> Record:
        lane.refusals.append(Refusal(lane.title, uid, words))
        return Record(uid, Fate.REFUSED, words=words)
