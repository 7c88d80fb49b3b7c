"""The judge of a copy by files: both sides are read anew and compared as over IMAP, and the copies octet by octet.

It asks the ledger for one thing only: why a message that is not there was not to be copied, or not yet.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.mailcopy.files.copy import expect_a_mailbox, look_at_both
from reconciler.mailcopy.files.files import Inside, MaildirFiles
from reconciler.mailcopy.files.job import FilesCopy, Source
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.accounting import Fate
from reconciler.mailcopy.model.batches import FEWEST, batches
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.judging import FORWARDED, LATER, Doubt, Excuses, Judged, judge, settle
from reconciler.mailcopy.model.maildir_name import MOST_KEYWORDS
from reconciler.mailcopy.model.mapping import Mapped, map_folders
from reconciler.mailcopy.model.message import Identity, Row, identify, text_digest
from reconciler.mailcopy.verify import SAMPLE, Verification
from reconciler.model.grade import Difference, Kind, grade


def verify_files(
    copy: FilesCopy,
    means: Means,
    sample: int = SAMPLE,
    chance: random.Random | None = None,
    *,
    passed: datetime | None = None,
) -> Verification:
    """Compare per folder the multisets of (identity, size, time, flags), and a random sample as it is.

    ``passed``: when the last pass began; what arrived since and is not in the ledger is left to the next one.

    Raises:
        MailError: a side could not be read; then there is no verdict.

    """
    chance = chance or random.SystemRandom()
    began = means.clock.now()
    source, target = copy.source.opened(means.sleep), copy.target.opened(means.sleep)
    here, there = look_at_both(source.look, target.look)
    if not copy.rules.may_be_empty:
        expect_a_mailbox(here, source)
    plan = map_folders(here.folders, there.folders, there.namespace, copy.rules.folders)
    left_out = _left_out(copy, means, passed)
    into: dict[bytes, list[Mapped]] = defaultdict(list)
    for mapped in plan.mapped:
        into[mapped.raw].append(mapped)
    differences: list[Difference] = []
    benches = []
    for raw, lines in into.items():
        standing = there.inside.get(raw, Inside(Folder(raw, lines[0].target)))
        bench = _Bench(source, target, standing, [(line, here.inside[line.source.raw]) for line in lines])
        benches.append(bench)
        differences += bench.judge(copy, left_out, began.timestamp())
    whole = [(bench, number) for bench in benches for number in bench.source]
    chosen = chance.sample(whole, min(sample, len(whole)))
    for bench, number in chosen:
        differences += bench.compare(number, left_out)
    differences += [Difference(refusal.folder, Kind.MISSING, 1, example=refusal.words) for refusal in here.refusals]
    return Verification(
        copy.key, grade(differences), tuple(differences), len(whole), len(chosen), began, means.clock.now()
    )


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Why a source message of one folder need not be on the target: ``known`` by number, as the ledger says.

    What it does not know and what arrived after ``passed`` (seconds since 1970) came later; None: nothing did.
    """

    known: Mapping[int, str] = field(default_factory=dict)
    passed: float | None = None

    def why(self, row: Row) -> str:
        """Nothing where it must be there."""
        if row.uid in self.known or self.passed is None or row.arrived is None:
            return self.known.get(row.uid, "")
        return LATER if row.arrived >= int(self.passed) else ""


def _left_out(copy: FilesCopy, means: Means, passed: datetime | None) -> Mapping[bytes, _LeftOut]:
    """By the raw name of the source folder."""
    found = {}
    for raw, state in means.ledger.folders(copy.key).items():
        records = means.ledger.records(state.number).values()
        known = {r.uid: "" if r.fate is Fate.COPIED else f"{r.fate.value}: {r.words}" for r in records}
        found[raw] = _LeftOut(known, passed.timestamp() if passed else None)
    return found


class _Bench:
    """One folder of the target and all source folders that go there, whose messages are numbered through."""

    def __init__(
        self, source: Source, target: MaildirFiles, there: Inside, lines: Sequence[tuple[Mapped, Inside]]
    ) -> None:
        self._source, self._target, self._there = source, target, there
        self.source: dict[int, tuple[Mapped, Inside, int, Identity]] = {}
        for line, inside in lines:
            source.fill(inside)
            for number, head in source.heads(inside, list(inside.rows)).items():
                self.source[len(self.source) + 1] = line, inside, number, identify(head)
        heads = target.heads(there, list(there.rows))
        self._standing = {number: identify(head) for number, head in heads.items()}
        self._title = lines[0][0].source.title + (" and others" if len(lines) > 1 else "")

    def judge(self, copy: FilesCopy, left_out: Mapping[bytes, _LeftOut], now: float) -> Iterable[Difference]:
        """The differences, with those in size decided by the texts."""
        mine = [_judged(n, who, inside.rows[uid]) for n, (_, inside, uid, who) in self.source.items()]
        theirs = [_judged(n, who, self._there.rows[n]) for n, who in self._standing.items()]
        excuses = Excuses(
            {n: why for n in self.source if (why := self._why_left_out(n, left_out))},
            now,
            flags_are_the_targets=not (copy.rules.follow_flags and self._source.keeps_flags),
            keywords_kept=len(self._there.keywords) < MOST_KEYWORDS,
        )
        verdict = judge(self._title, mine, theirs, excuses)
        yield from verdict.differences
        alike = set(self._of_one_text(verdict.doubtful))
        yield from settle(self._title, verdict.doubtful, lambda d: FORWARDED if d in alike else "", self._name)

    def compare(self, number: int, left_out: Mapping[bytes, _LeftOut]) -> Iterable[Difference]:
        """One sampled message against every message of the target that could be its copy."""
        _, inside, uid, who = self.source[number]
        text = self._source.contents(inside, [uid]).get(uid)
        if text is None or self._why_left_out(number, left_out):
            return
        same = [other for other, standing in self._standing.items() if standing == who]
        others = list(self._target.contents(self._there, same).values()) if same else []
        if others and text not in others:
            forwarded = any(text_digest(text) == text_digest(other) for other in others)
            yield Difference(self._title, Kind.ALTERED, 1, FORWARDED if forwarded else "", self._name(number))

    def _of_one_text(self, doubts: Sequence[Doubt]) -> Iterator[Doubt]:
        """Any number of them: a user who was forwarded for months has thousands of messages with two sizes."""
        folders = {inside.folder.raw: inside for _, inside, _, _ in self.source.values()}
        wanted: dict[bytes, list[Row]] = defaultdict(list)
        for doubt in doubts:
            _, inside, uid, _ = self.source[doubt.uid]
            wanted[inside.folder.raw].append(inside.rows[uid])
        mine = {
            (raw, number): digest
            for raw, rows in wanted.items()
            for number, digest in _digests(self._source, folders[raw], rows)
        }
        rows = [self._there.rows[doubt.target_uid] for doubt in doubts]
        theirs = dict(_digests(self._target, self._there, rows))
        for doubt in doubts:
            _, inside, uid, _ = self.source[doubt.uid]
            digest = mine.get((inside.folder.raw, uid))
            if digest is not None and digest == theirs.get(doubt.target_uid):
                yield doubt

    def _why_left_out(self, number: int, left_out: Mapping[bytes, _LeftOut]) -> str:
        line, inside, uid, _ = self.source[number]
        return left_out.get(line.source.raw, _LeftOut()).why(inside.rows[uid])

    def _name(self, number: int) -> str:
        _, inside, uid, _ = self.source[number]
        place = inside.places.get(uid)
        return place.file if place else f"message {uid}"


def _digests(side: Source, inside: Inside, rows: Iterable[Row]) -> Iterator[tuple[int, bytes]]:
    """By number, of the texts of those that are still what they were listed as."""
    for group in batches(rows, FEWEST):
        for number, text in side.contents(inside, [row.uid for row in group]).items():
            yield number, text_digest(text)


def _judged(number: int, who: Identity, row: Row) -> Judged:
    return Judged(number, who, row.size, row.arrived, frozenset(row.flags.split()))
