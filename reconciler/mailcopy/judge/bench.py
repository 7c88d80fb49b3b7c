"""One folder of the target and all source folders that go there, compared by their rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.left_out import LeftOut
from reconciler.mailcopy.judge.opening import Opening
from reconciler.mailcopy.judge.reading import Contents
from reconciler.mailcopy.model.flags import SYSTEM, Allowed
from reconciler.mailcopy.model.judging import Excuses, Judged, Verdict, judge
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.model.grade import Difference, Kind


@dataclass(frozen=True, slots=True)
class Sent:
    """A source folder: what it holds, and what the copier has said of it.

    ``refused``: the words against messages of it that the copier could not copy, by UID. ``held``: its messages, as the
    survey saw it.
    """

    line: Mapped
    contents: Contents
    left_out: LeftOut = field(default_factory=LeftOut)
    refused: Mapping[int, str] = field(default_factory=dict)
    held: int = 0


class Bench:
    """``source`` are the folders that go into ``target``.

    ``messages`` are those of the source that can be compared: by a number, for UIDs of several folders collide.
    """

    def __init__(self, source: Sequence[Sent], target: Contents, *, flags_are_the_targets: bool) -> None:
        """Nothing is compared yet."""
        self.source, self.target = source, target
        if len(source) == 1:
            self.messages = {message.uid: (source[0], message) for message in source[0].contents.messages}
        else:
            all_of_them = ((sent, message) for sent in source for message in sent.contents.messages)
            self.messages = dict(enumerate(all_of_them, 1))
        self.left_out = {
            number: why for number, (sent, message) in self.messages.items() if (why := sent.left_out.why(message.uid))
        }
        self._flags_are_the_targets = flags_are_the_targets

    @property
    def is_open(self) -> bool:
        """Whether both sides could be looked at."""
        return not self.target.words and any(not sent.contents.words for sent in self.source)

    @property
    def title(self) -> str:
        """For people."""
        others = " and others" if len(self.source) > 1 else ""
        return self.source[0].line.source.title + others

    def name(self, number: int) -> str:
        """What helps to find a message."""
        return f"UID {self.messages[number][1].uid}"

    def not_judged(self) -> Iterator[Difference]:
        """What a server did not show."""
        for sent in self.source:
            yield from _not_judged(sent)
        target, held = self.target, sum(len(sent.contents.messages) for sent in self.source)
        if target.words and held:
            yield Difference(self.title, Kind.UNJUDGED, held, example=f"the target does not open it: {target.words}")
        if target.nameless:
            uid, words = next(iter(target.nameless.items()))
            yield Difference(self.title, Kind.UNJUDGED, len(target.nameless), example=f"target UID {uid}: {words}")
        if target.unseen:
            words = f"the target holds them and does not list them: {target.unseen_words}"
            yield Difference(self.title, Kind.UNJUDGED, target.unseen, example=words)

    def by_rows(self, connection: Connection, now: float) -> Verdict:
        """The multisets compared.

        ``connection`` is the target's, asked what flags the folder keeps where some are not there. Of what is missing,
        as much may be among what the target did not show as that is.
        """
        several = len(self.source) > 1
        source = [
            message._replace(uid=number) if several else message for number, (_, message) in self.messages.items()
        ]
        told = {
            number: words
            for number, (sent, message) in (self.messages.items() if any(s.left_out.told for s in self.source) else ())
            if (words := sent.left_out.told.get(message.uid))
        }
        excuses = Excuses(self.left_out, now, flags_are_the_targets=self._flags_are_the_targets, told=told)
        verdict = judge(self.title, source, self.target.messages, excuses)
        if any(each.kind is Kind.FLAGS and not each.explained for each in verdict.differences):
            lost = self._lost(source, _kept(connection, self.target.raw))
            if lost:
                verdict = judge(self.title, source, self.target.messages, replace(excuses, lost=lost))
        return replace(verdict, differences=tuple(self._less_unseen(verdict.differences)))

    def _lost(self, source: Sequence[Judged], kept: Allowed) -> frozenset[str]:
        """The flags that the folder does not keep, by its own words, and by what it shows."""
        shown = frozenset[str]().union(*(message.flags or () for message in self.target.messages))
        had = frozenset[str]().union(*(message.flags or () for message in source))
        lost = frozenset(flag for flag in had - shown if kept.tried or not kept.keeps(flag))
        return lost.union(SYSTEM) if kept.tried and not shown else lost

    def _less_unseen(self, differences: Sequence[Difference]) -> Iterator[Difference]:
        unseen = self.target.not_judged
        for each in differences:
            if each.kind is Kind.MISSING and not each.explained and unseen:
                if each.count > unseen:
                    yield replace(each, count=each.count - unseen)
                unseen = max(0, unseen - each.count)
            else:
                yield each


def _not_judged(sent: Sent) -> Iterator[Difference]:
    """A message that the copier was refused as well is explained by the words that it was told."""
    contents, title = sent.contents, sent.line.source.title
    if contents.words:
        yield Difference(title, Kind.UNJUDGED, max(1, sent.held), example=f"it does not open: {contents.words}")
    known = {uid: sent.left_out.known.get(uid, "") for uid in contents.nameless}
    if refused := {uid: words for uid, words in known.items() if words}:
        uid, words = next(iter(refused.items()))
        yield Difference(title, Kind.UNJUDGED, len(refused), words, f"UID {uid}")
    if rest := [uid for uid, words in known.items() if not words]:
        yield Difference(title, Kind.UNJUDGED, len(rest), example=f"UID {rest[0]}: {contents.nameless[rest[0]]}")
    listed = contents.nameless.keys() | {message.uid for message in contents.messages} if contents.unseen else set()
    hidden = {uid: words for uid, words in sent.refused.items() if contents.unseen and uid not in listed}
    if excused := min(len(hidden), contents.unseen):
        uid, words = next(iter(hidden.items()))
        yield Difference(title, Kind.UNJUDGED, excused, f"refused: {words}", f"UID {uid}")
    if (left := contents.unseen - excused) > 0:
        yield Difference(
            title, Kind.UNJUDGED, left, example=f"the source holds them and does not list them: {contents.unseen_words}"
        )


def _kept(connection: Connection, raw: bytes) -> Allowed:
    opening = Opening()
    for parts in connection.select(raw):
        opening.hear(parts)
    return opening.allowed
