"""Messages added to a folder: many in one MULTIAPPEND, else APPEND after APPEND without waiting, else one by one.

No message is ever read as a command. What stands beside a literal is our own spelling of flags and dates that were
checked (mailcopy.model.flags, internal_date); the first literal of each batch waits for the server's go-ahead; an
answer BAD closes the socket (mailcopy.imap.wire).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.reading import Job
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, GoAhead, Parts
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.suspects import Side, Spot
from reconciler.mailcopy.pace import Pace

_APPENDUID = re.compile(r"\[APPENDUID (\d{1,10}) ([\d:,]+)\]", re.IGNORECASE | re.ASCII)
_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS\r\n\Z", re.IGNORECASE)
_UNANSWERED = 64
"""APPEND commands ahead of their answers: these fit in the kernel's buffers, so nobody waits for the other."""

_SMALL_LITERAL = 4096
"""Octets, RFC 7888, section 5: LITERAL- allows that many without asking."""

_JOINED = 128 * 1024
"""Octets handed to the kernel in one call."""


class Literals(Enum):
    """Which literals go without asking the server first."""

    PLUS = "all"
    MINUS = "small ones"
    NONE = "none"


class Outgoing(NamedTuple):
    """A message to be added; ``uid`` is the source's, ``flags`` and ``date`` as checked, ``date`` None if unknown."""

    uid: int
    flags: str
    date: str | None
    body: bytes


@dataclass(slots=True)
class Flight:
    """A batch on its way to the folder ``raw``, read as ``job``.

    ``stored``: source UID to target UID, 0 where the server did not tell it. ``told``: the number by which the ledger
    knows the batch. ``sent``: all of it is on the wire. ``uidvalidity`` is that of the answer, 0 if it told none.
    """

    raw: bytes
    messages: Sequence[Outgoing]
    job: Job
    told: int = 0
    octets: int = 0
    number: int = field(init=False)
    flags: dict[int, str] = field(init=False)
    stored: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    sent: bool = False
    uidvalidity: int = 0

    def __post_init__(self) -> None:
        """Know the number of messages and their flags after their bodies are gone."""
        self.number = len(self.messages)
        self.flags = {message.uid: message.flags for message in self.messages}

    @property
    def settled(self) -> bool:
        """Whether the server answered for every message."""
        return len(self.stored) + len(self.refused) == self.number

    def unload(self) -> None:
        """Let go of the bodies: what is refused is read again."""
        self.messages = ()


class Appender:
    """Adds batches over one connection, the next one sent before the last one is answered."""

    def __init__(self, session: Session, pace: Pace) -> None:
        """Find the fastest way that the server offers.

        ``exists``: how many messages a folder held when the server last told, by raw name.
        """
        self._wire, self._pace = session.wire, pace
        plain = session.wire.serial  # what it announces it may not do
        self.multi = session.can("MULTIAPPEND") and not plain
        ahead = Literals.PLUS if session.can("LITERAL+") else Literals.MINUS
        self.literals = ahead if not plain and (session.can("LITERAL+") or session.can("LITERAL-")) else Literals.NONE
        self._selected: bytes | None = None
        self._asked: dict[bytes, tuple[Flight, list[int]]] = {}
        self._done: list[Flight] = []
        self._out: list[bytes | memoryview] = []
        self._queued = 0
        self.flying: list[Flight] = []
        self.exists: dict[bytes, int] = {}

    def send(self, flight: Flight) -> list[Flight]:
        """Send a batch; gives the batches answered meanwhile, usually the one before.

        The target folder is selected: Dovecot opens any other folder anew for each command.
        """
        if self._selected != flight.raw:
            self._wire.command(b"SELECT " + quoted(flight.raw))
            self._selected = flight.raw
        tag = self._wire.tag()
        first = flight.messages[0]
        together = flight.messages if self.multi else flight.messages[:1]
        self._asked[tag] = (flight, [message.uid for message in together])
        self.flying.append(flight)
        self._wire.send(_append(tag, flight.raw) + _arguments(first) + b"{%d}\r\n" % len(first.body))
        if self.multi:
            self._send_as_one(flight, tag)
        else:
            self._send_each(flight, tag)
        flight.unload()
        return self._take_done()

    def finish(self) -> list[Flight]:
        """Wait for all that was sent."""
        while self._asked:
            self._hear()
        return self._take_done()

    def spot(self, answered: bytes = b"") -> Spot | None:
        """What ended the connection: the message whose tag was answered BAD, or the first one without an answer."""
        asked = self._asked.get(answered) or next(iter(self._asked.values()), None)
        if asked is None:
            return None
        flight, uids = asked
        return Spot(Side.TARGET, flight.job.raw, tuple(uids), certain=answered in self._asked)

    def refused_whole(self, answered: bytes) -> int:
        """The ledger's number of the batch that this answer BAD is about, if it is about all of it; else 0."""
        flight, uids = self._asked.get(answered, (None, []))
        return flight.told if flight and len(uids) == flight.number else 0

    def _send_as_one(self, flight: Flight, tag: bytes) -> None:
        if not self._may_go(tag):
            return
        self._body(flight.messages[0].body)
        for message in flight.messages[1:]:
            if not self._literal(b" " + _arguments(message), message.body, tag):
                return
        self._queue(b"\r\n")
        flight.sent = True  # from here on a lost connection leaves the batch in doubt
        self._flush()

    def _send_each(self, flight: Flight, tag: bytes) -> None:
        if self._may_go(tag):
            self._body(flight.messages[0].body)
            flight.sent = True  # as above: without its line end a command stores nothing
            self._queue(b"\r\n")
        for message in flight.messages[1:]:
            tag = self._wire.tag()
            self._asked[tag] = (flight, [message.uid])
            if self._literal(_append(tag, flight.raw) + _arguments(message), message.body, tag):
                flight.sent = True
                self._queue(b"\r\n")
            while len(self._asked) > (0 if self._wire.serial or flight.job.alone else _UNANSWERED):
                self._flush()
                self._hear()
        self._flush()

    def _literal(self, before: bytes, body: bytes, tag: bytes) -> bool:
        """What stands before a literal and the literal in the form that the server allows; False if it refused it."""
        ahead = self.literals is Literals.PLUS or (self.literals is Literals.MINUS and len(body) <= _SMALL_LITERAL)
        self._queue(before + b"{%d%s}\r\n" % (len(body), b"+" if ahead else b""))
        if not ahead:
            self._flush()
            if not self._may_go(tag):
                return False
        self._body(body)
        return True

    def _may_go(self, tag: bytes) -> bool:
        """Whether the server takes the literal; answers to earlier commands come first."""
        while tag in self._asked:
            self._wire.acknowledge()
            if self._hear():
                return True
        return False

    def _hear(self) -> bool:
        """Take one response in; True if it is the go-ahead."""
        response = self._wire.read()
        if isinstance(response, GoAhead):
            return True
        if isinstance(response, list):
            self._note_exists(response)
        if isinstance(response, Answer) and response.tag in self._asked:
            flight, uids = self._asked.pop(response.tag)
            if response.ok:
                flight.stored.update(_stored(uids, response.words, flight))
            else:
                flight.refused.update((uid, response.words) for uid in uids)
            if flight.settled:
                self.flying.remove(flight)
                self._done.append(flight)
        return False

    def _note_exists(self, parts: Parts) -> None:
        """It belongs to the folder of the first command without an answer: the next one may be selected already."""
        due, _ = next(iter(self._asked.values()), (None, []))
        raw = due.raw if due else self._selected
        if raw is not None and (told := _EXISTS.match(parts[0])):
            self.exists[raw] = int(told[1])

    def _take_done(self) -> list[Flight]:
        done, self._done = self._done, []
        return done

    def _body(self, body: bytes) -> None:
        step = self._pace.slice
        if step is None or len(body) <= step:
            self._pace.take(len(body))
            self._queue(body)
            return
        for start in range(0, len(body), step):
            self._flush()
            self._pace.take(min(step, len(body) - start))
            self._queue(memoryview(body)[start : start + step])

    def _queue(self, octets: bytes | memoryview) -> None:
        self._out.append(octets)
        self._queued += len(octets)
        if self._queued > _JOINED:
            self._flush()

    def _flush(self) -> None:
        """Small pieces go together in one call, big ones as they are: joining would copy them."""
        out, self._out, self._queued = self._out, [], 0
        small: list[bytes | memoryview] = []
        for octets in out:
            if len(octets) > _JOINED:
                self._wire.send(b"".join(small), octets)
                small = []
            else:
                small.append(octets)
        if small:
            self._wire.send(b"".join(small))


def _append(tag: bytes, raw: bytes) -> bytes:
    return tag + b" APPEND " + quoted(raw) + b" "


def _arguments(message: Outgoing) -> bytes:
    date = b'"' + message.date.encode("ascii") + b'" ' if message.date else b""
    return b"(" + message.flags.encode("ascii") + b") " + date


def _stored(sources: Sequence[int], words: str, flight: Flight) -> Iterator[tuple[int, int]]:
    """Source UID to target UID (RFC 4315); 0 for all where the server's set does not fit the batch."""
    told = _APPENDUID.search(words)
    try:
        uids = uid_set.parse(told[2], len(sources)) if told else []
    except ValueError:
        uids = []
    if told and len(uids) == len(sources):
        flight.uidvalidity = int(told[1])
        return zip(sources, uids, strict=True)
    return ((uid, 0) for uid in sources)
