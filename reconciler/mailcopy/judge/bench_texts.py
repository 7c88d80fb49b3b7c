"""Texts of messages that go together: of the pairs whose sizes leave it open, and of a sample."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from reconciler.mailcopy.judge.bench import Bench
from reconciler.mailcopy.judge.comparing import Approvals, Finding, Prints, counted, exact, unequal
from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.texts import Texts
from reconciler.mailcopy.model.judging import Doubt, settle
from reconciler.mailcopy.model.message import Identity, header_of, identify, telling_apart
from reconciler.model.grade import Difference, Kind


class BenchTexts:
    """Of one bench; ``approvals`` by the raw name of the source folder. ``compared`` counts the sampled messages."""

    def __init__(
        self, bench: Bench, source: Connection, target: Connection, approvals: Mapping[bytes, Approvals]
    ) -> None:
        """Nothing is read yet."""
        self.compared = 0
        self.bench, self._source, self._target = bench, source, target
        self.approvals = approvals
        self._copies: tuple[Callable[[Identity], Hashable], Mapping[Hashable, Sequence[int]]] | None = None

    @property
    def approved(self) -> Sequence[int]:
        """The numbers of messages whose copies' texts were approved."""
        return (
            [
                number
                for number, (sent, message) in self.bench.messages.items()
                if message.uid in self.approvals[sent.contents.raw].known
            ]
            if any(each.known for each in self.approvals.values())
            else []
        )

    def settle(self, doubts: Sequence[Doubt]) -> Iterator[Difference]:
        """The differences of pairs whose sizes differ, or are not told."""
        if not doubts:
            return
        mine, absent = self._prints([doubt.uid for doubt in doubts])
        there = Texts(self._target, self.bench.target.raw)
        theirs = {uid: Prints.of(text) for uid, text in there.read([doubt.target_uid for doubt in doubts])}
        why: dict[Doubt, str] = {}
        odd: list[tuple[str, Finding]] = []
        for doubt in doubts:
            one, other = mine.get(doubt.uid), theirs.get(doubt.target_uid)
            if one is None:
                finding = Finding(Kind.UNJUDGED, words=absent[doubt.uid]) if absent.get(doubt.uid) else None
            elif other is None:
                words = f"target UID {doubt.target_uid}: {there.absent.get(doubt.target_uid, '')}"
                finding = Finding(Kind.UNJUDGED, words=words)
            else:
                why[doubt] = one.why_equal(other)
                finding = None if why[doubt] else self._unequal_pair(doubt, one)
            if finding is not None:
                why.pop(doubt, None)
                odd.append((self.bench.name(doubt.uid), finding))
                if doubt.redated:
                    odd.append((self.bench.name(doubt.uid), Finding(Kind.DATE)))
        yield from settle(self.bench.title, why, lambda doubt: why[doubt], self.bench.name)
        yield from counted(self.bench.title, odd)

    def compare(self, numbers: Iterable[int]) -> Iterator[Difference]:
        """Messages of the source, octet by octet, against all that could be their copies."""
        found: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
        for number in numbers:
            finding = self._against_copies(number)
            if finding is not None:
                title = self.bench.messages[number][0].line.source.title
                found[title].append((self.bench.name(number), finding))
        for title, findings in found.items():
            yield from counted(title, findings)

    def _prints(self, numbers: Sequence[int]) -> tuple[Mapping[int, Prints], Mapping[int, str]]:
        """Of source messages; and why others did not come: empty where they vanished."""
        found: dict[int, Prints] = {}
        absent: dict[int, str] = {}
        by_folder: dict[bytes, dict[int, int]] = defaultdict(dict)
        for number in numbers:
            sent, message = self.bench.messages[number]
            by_folder[sent.contents.raw][message.uid] = number
        for raw, uids in by_folder.items():
            texts = Texts(self._source, raw)
            found.update((uids[uid], Prints.of(text)) for uid, text in texts.read(sorted(uids)))
            absent.update((uids[uid], words) for uid, words in texts.absent.items() if uid not in texts.vanished)
        return found, absent

    def _unequal_pair(self, doubt: Doubt, one: Prints) -> Finding | None:
        """None where the source shows the same text again: then it is the size that differs, and no one says why."""
        sent, message = self.bench.messages[doubt.uid]
        here, there = Texts(self._source, sent.contents.raw), Texts(self._target, self.bench.target.raw)
        first = here.one(message.uid)
        if first is None:
            return None
        finding = unequal(
            message.uid,
            first,
            lambda: here.one(message.uid),
            lambda: _all_of(there, [doubt.target_uid]),
            self.approvals[sent.contents.raw],
        )
        is_stable = exact(first) == one.exact and finding == Finding(Kind.ALTERED)
        return None if is_stable else finding

    def _against_copies(self, number: int) -> Finding | None:
        sent, message = self.bench.messages[number]
        here, there = Texts(self._source, sent.contents.raw), Texts(self._target, self.bench.target.raw)
        body = here.one(message.uid)
        if body is None:
            gone = message.uid in here.vanished
            return None if gone else Finding(Kind.UNJUDGED, words=here.absent[message.uid])
        self.compared += 1
        group = self._could_be(message.identity, identify(header_of(body)))
        prints, best = Prints.of(body), ""
        for other in _all_of(there, group):
            if other == body:
                return None
            best = best or prints.why_equal(Prints.of(other))
        if not group:
            return None  # it is missing, which the multisets tell
        if best:
            return Finding(Kind.ALTERED, best)
        approvals = self.approvals[sent.contents.raw]
        finding = unequal(message.uid, body, lambda: here.one(message.uid), lambda: _all_of(there, group), approvals)
        if there.absent and finding is not None and finding.kind is Kind.ALTERED:
            uid, words = next(iter(there.absent.items()))
            return Finding(Kind.UNJUDGED, words=f"target UID {uid}: {words}")
        return finding

    def _could_be(self, *identities: Identity) -> Sequence[int]:
        """The UIDs of the target that have one of the identities: as it was listed, and as the text has it."""
        if self._copies is None:
            source = [message for _, message in self.bench.messages.values()]
            who = telling_apart(message.identity for message in (*source, *self.bench.target.messages))
            copies: dict[Hashable, list[int]] = defaultdict(list)
            for message in self.bench.target.messages:
                copies[who(message.identity)].append(message.uid)
            self._copies = who, copies
        who, known = self._copies
        return list(dict.fromkeys(uid for identity in identities for uid in known.get(who(identity), ())))


def _all_of(texts: Texts, uids: Iterable[int]) -> Iterator[bytes]:
    """Those that come, one at a time."""
    for uid in uids:
        if (text := texts.one(uid)) is not None:
            yield text
