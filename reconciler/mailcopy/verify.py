"""The judge: both sides are read anew and compared, folder by folder, whoever did the copying.

The ledger is asked for one thing only: why a message that is not there was not to be copied, or not yet.
"""

import hashlib
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.folder_plan import folder_plan
from reconciler.mailcopy.imap.identities import identities
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import mark_importance, read_labels
from reconciler.mailcopy.imap.listing import list_folders
from reconciler.mailcopy.imap.reading import Job, read_messages
from reconciler.mailcopy.imap.rows import Listed, Wanted
from reconciler.mailcopy.imap.session import Session, session
from reconciler.mailcopy.imap.survey import survey
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.accounting import Fate
from reconciler.mailcopy.model.batches import FEWEST, batches
from reconciler.mailcopy.model.gmail import CAPABILITY
from reconciler.mailcopy.model.judging import FORWARDED, LATER, REWRITTEN, Doubt, Excuses, Judged, judge, settle
from reconciler.mailcopy.model.ledger import CopyKey, FolderState
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.model.message import Row, header_of, identify, normalised, text_digest
from reconciler.model.grade import Difference, Grade, Kind, grade

SAMPLE = 20
"""Messages of a mailbox that are compared octet by octet, if nobody asks for another number."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on one mailbox: ``messages`` were compared by their rows and headers, ``sampled`` in full."""

    key: CopyKey
    grade: Grade
    differences: tuple[Difference, ...]
    messages: int
    sampled: int
    began: datetime
    ended: datetime


def verify_mailbox(
    copy: MailboxCopy, means: Means, sample: int = SAMPLE, chance: random.Random | None = None
) -> Verification:
    """Compare per folder the multisets of (identity, size, INTERNALDATE, flags), and a random sample as it is.

    Raises:
        MailError: a side could not be read; then there is no verdict.

    """
    chance = chance or random.SystemRandom()
    began = means.clock.now()
    with (
        session(copy.source.server, copy.source.login) as source,
        session(copy.target.server, copy.target.login) as target,
    ):
        here, there = survey(source), survey(target)
        plan = folder_plan(copy, source, here, there)
        differences: list[Difference] = []
        left_out = _left_out(copy, means)
        into: dict[bytes, list[Mapped]] = defaultdict(list)
        for mapped in plan.mapped:
            if mapped.source.raw in here.status:
                into[mapped.raw].append(mapped)
        messages, whole = 0, []
        for raw, lines in into.items():
            bench = _Bench(source, target, raw, lines, exists=raw in there.status)
            differences += bench.judge(copy, left_out, began)
            messages += len(bench.source)
            whole += [(bench, line, row) for line, row in bench.rows]
        chosen = chance.sample(whole, min(sample, len(whole)))
        for bench, line, row in chosen:
            differences += bench.compare(line, row, left_out.get(line.source.raw, _LeftOut()))
    for refusal in here.refusals:
        differences.append(Difference(refusal.folder, Kind.MISSING, 1, example=refusal.words))
    return Verification(
        copy.key, grade(differences), tuple(differences), messages, len(chosen), began, means.clock.now()
    )


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Why a source message of one folder need not be on the target.

    ``known``: by UID, what the ledger says. ``seen``: UIDs from this one on were given after the last pass had looked;
    0 where none came to the end of the folder.
    """

    known: Mapping[int, str] = field(default_factory=dict)
    seen: int = 0

    def why(self, uid: int) -> str:
        """Nothing where it must be there."""
        return self.known.get(uid, "") or (LATER if 0 < self.seen <= uid else "")


def _left_out(copy: MailboxCopy, means: Means) -> Mapping[bytes, _LeftOut]:
    """By the raw name of the source folder."""
    return {raw: _left_out_of(state, means) for raw, state in means.ledger.folders(copy.key).items()}


def _left_out_of(state: FolderState, means: Means) -> _LeftOut:
    records = means.ledger.records(state.number).values() if state.excluded or state.refused else ()
    known = {r.uid: f"{r.fate.value}: {r.words}" for r in records if r.fate is not Fate.COPIED}
    return _LeftOut(known, state.uidnext if state.uidnext > 1 else 0)


class _Bench:
    """One folder of the target and all source folders that go there."""

    def __init__(self, source: Session, target: Session, raw: bytes, lines: Sequence[Mapped], *, exists: bool) -> None:
        self._sessions = source, target
        self._raw = raw
        self.rows: list[tuple[Mapped, Row]] = []
        self.source: list[tuple[Mapped, Judged]] = []
        for line, listed in zip(lines, list_folders(source, [Wanted(line.source.raw) for line in lines]), strict=True):
            judged = _judged(source, listed)
            self.rows += [(line, row) for row in listed.rows]
            self.source += [(line, message) for message in judged]
        (there,) = list_folders(target, [Wanted(raw)]) if exists else (Listed(raw),)
        self._allowed = there.allowed
        self._target_rows = {row.uid: row for row in there.rows}
        self._target = _judged(target, there)

    def judge(self, copy: MailboxCopy, left_out: Mapping[bytes, _LeftOut], now: datetime) -> Iterable[Difference]:
        """The differences, with those in size decided by the texts."""
        several = len({line.source.raw for line, _ in self.source}) > 1
        title = self.source[0][0].source.title if self.source else ""
        # source UIDs of several folders would collide: number them through
        numbered = {number: (line, message) for number, (line, message) in enumerate(self.source, 1)}
        excuses = Excuses(
            {
                number: why
                for number, (line, message) in numbered.items()
                if (why := left_out.get(line.source.raw, _LeftOut()).why(message.uid))
            },
            now.timestamp(),
            flags_are_the_targets=not copy.rules.follow_flags,
            keywords_kept=self._allowed.any_keyword,
        )
        messages = [message._replace(uid=number) for number, (_, message) in numbered.items()]
        verdict = judge(title + (" and others" if several else ""), messages, self._target, excuses)
        yield from verdict.differences
        source, target = self._sessions
        mine: dict[tuple[bytes, int], Prints] = {}
        for raw, uids in _by_folder(numbered[doubt.uid] for doubt in verdict.doubtful).items():
            rows = [row for line, row in self.rows if line.source.raw == raw and row.uid in uids]
            mine |= {(raw, uid): prints for uid, prints in _read_prints(source, raw, rows)}
        theirs = dict(_read_prints(target, self._raw, [self._target_rows[d.target_uid] for d in verdict.doubtful]))

        def why_equal(doubt: Doubt) -> str:
            line, message = numbered[doubt.uid]
            return _why_equal(mine.get((line.source.raw, message.uid)), theirs.get(doubt.target_uid))

        yield from settle(title, verdict.doubtful, why_equal, lambda number: f"UID {numbered[number][1].uid}")

    def compare(self, line: Mapped, row: Row, left_out: _LeftOut) -> Iterable[Difference]:
        """One sampled message against every message of the target that could be its copy."""
        if left_out.why(row.uid):
            return
        body = _body(self._sessions[0], line.source.raw, row)
        if body is None:
            return  # it vanished meanwhile
        same = [message.uid for message in self._target if message.identity == identify(header_of(body))]
        group = [self._target_rows[uid] for uid in same]
        best = ""
        for candidate in (part for rows in batches(group, FEWEST) for part in rows):
            other = _body(self._sessions[1], self._raw, candidate)
            if other is None:
                continue
            if other == body:
                return
            best = best or _why_equal(Prints.of(body), Prints.of(other))
        if group:  # else it is missing, which the multisets tell
            yield Difference(line.source.title, Kind.ALTERED, 1, best, f"UID {row.uid}")


class Prints(NamedTuple):
    """Digests of a message, with what servers rewrite taken out: of all of it, and of what follows the header."""

    whole: bytes
    text: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Of the message as it was read."""
        return cls(hashlib.sha256(normalised(body)).digest(), text_digest(body))


def _why_equal(one: Prints | None, other: Prints | None) -> str:
    """Nothing where they are not, or where one of them vanished meanwhile."""
    if one is None or other is None:
        return ""
    if one.whole == other.whole:
        return REWRITTEN
    return FORWARDED if one.text == other.text else ""


def _by_folder(messages: Iterable[tuple[Mapped, Judged]]) -> Mapping[bytes, set[int]]:
    """The UIDs, by the raw name of their folder."""
    found: dict[bytes, set[int]] = defaultdict(set)
    for line, message in messages:
        found[line.source.raw].add(message.uid)
    return found


def _read_prints(reading: Session, raw: bytes, rows: Iterable[Row]) -> Iterator[tuple[int, Prints]]:
    """By UID, of any number of messages: a user who was forwarded for months has thousands with two sizes."""
    jobs = deque(Job(raw, tuple(group)) for group in batches(rows, FEWEST))
    for brought in read_messages(reading, jobs):
        yield from ((uid, Prints.of(body)) for uid, body in brought.bodies.items())


def _judged(reading: Session, listed: Listed) -> list[Judged]:
    if listed.words:
        raise CommandRefused(
            f"a folder of {reading.user} on {reading.server} cannot be read: {listed.words}", listed.words
        )
    if listed.rows and reading.can(CAPABILITY):
        mark_importance(listed, read_labels(reading, listed.raw, [row.uid for row in listed.rows]))
    who = identities(reading, listed.raw, listed.rows) if listed.rows else {}
    return [
        Judged(row.uid, who[row.uid], row.size, row.arrived, frozenset(row.flags.split()))
        for row in listed.rows
        if row.uid in who
    ]


def _body(reading: Session, raw: bytes, row: Row) -> bytes | None:
    (brought,) = read_messages(reading, deque([Job(raw, (row,))]))
    return brought.bodies.get(row.uid)
