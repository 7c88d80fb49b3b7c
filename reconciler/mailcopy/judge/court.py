"""One comparison of two sides from the survey to the last sampled text."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.mailcopy.imap.folder_plan import folder_plan
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import folder_rules
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.judge.bench import Bench, Sent
from reconciler.mailcopy.judge.bench_texts import BenchTexts
from reconciler.mailcopy.judge.closing import close
from reconciler.mailcopy.judge.comparing import Approvals
from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.left_out import left_out
from reconciler.mailcopy.judge.reading import Contents, read_folder
from reconciler.mailcopy.judge.survey import Looked, look
from reconciler.mailcopy.judge.virtual import SHOWS_OTHERS, shows_others
from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.model.grade import Difference, Kind


@dataclass(frozen=True, slots=True)
class Found:
    """``messages`` were compared by their rows and headers, ``sampled`` in full."""

    differences: tuple[Difference, ...]
    messages: int
    sampled: int


class Court:
    """Compares one mailbox, once."""

    def __init__(self, copy: MailboxCopy, means: Means, source: Connection, target: Connection) -> None:
        """Nothing is read yet."""
        self._copy, self._ledger = copy, means.ledger
        self._source, self._target = source, target
        self._states = means.ledger.folders(copy.key)
        self._refused: dict[bytes, dict[int, str]] = defaultdict(dict)
        for raw, record in means.ledger.refused(copy.key):
            self._refused[raw][record.uid] = record.words

    def compare(self, sample: int, chance: random.Random, now: datetime) -> Found:
        """Folders, rows, doubtful texts and a sample, in this order.

        Raises:
            MailError: a side could not be read; then there is no verdict.

        """
        here, there = self._look()
        plan = folder_plan(self._copy, self._source.session, here.survey, there.survey)
        rules = folder_rules(self._source.session, here.survey, there.survey, self._copy.rules.folders)
        held = {raw: status.messages for raw, status in here.survey.status.items()}
        differences = [*here.doubts, *there.doubts, *close(here.selectable, plan, rules, held)]
        into: dict[bytes, list[Mapped]] = defaultdict(list)
        taken = {line.raw for line in plan.mapped}
        for line in plan.mapped:
            if words := here.refused.get(line.source.raw):
                differences.append(
                    Difference(line.source.title, Kind.UNJUDGED, 1, example=f"it does not open: {words}")
                )
            elif line.source.raw in held:
                into[self._place(line, there, taken)].append(line)
        messages = 0
        whole: list[tuple[BenchTexts, int]] = []
        certain: list[tuple[BenchTexts, int]] = []
        for raw, lines in into.items():
            bench = self._bench(raw, lines, there, held)
            differences += bench.not_judged()
            if not bench.is_open:
                continue
            messages += len(bench.messages)
            verdict = bench.by_rows(self._target, now.timestamp())
            texts = BenchTexts(bench, self._source, self._target, self._approvals(bench))
            differences += (*verdict.differences, *texts.settle(verdict.doubtful))
            whole += [(texts, number) for number in bench.messages if number not in bench.left_out]
            certain += [(texts, number) for number in texts.approved if number not in bench.left_out]
            self._remember(bench, texts)
        chosen = dict.fromkeys([*certain, *chance.sample(whole, min(sample, len(whole)))])
        by_bench: dict[BenchTexts, list[int]] = defaultdict(list)
        for texts, number in chosen:
            by_bench[texts].append(number)
        for texts, numbers in by_bench.items():
            differences += texts.compare(sorted(numbers))
            self._remember(texts.bench, texts)
        return Found(tuple(differences), messages, sum(texts.compared for texts in by_bench))

    def _look(self) -> tuple[Looked, Looked]:
        """Both surveys; of the source with a mark on the folders that show what lies in others.

        Only those are asked about that the copier does not know: what it copied is judged.
        """
        here, there = look(self._source, every=True), look(self._target, every=False)
        raws = here.selectable.keys()
        shown = set()
        for raw, status in here.survey.status.items():
            others = {name for each in raws - {raw} for name in (each, utf7.readable(each).encode())}
            if raw != b"INBOX" and raw not in self._states and shows_others(self._source, raw, status.messages, others):
                shown.add(raw)
        folders = tuple(
            replace(folder, attributes=folder.attributes | {SHOWS_OTHERS}) if folder.raw in shown else folder
            for folder in here.survey.folders
        )
        return replace(here, survey=replace(here.survey, folders=folders)), there

    def _place(self, line: Mapped, there: Looked, taken: set[bytes]) -> bytes:
        """The raw name on the target: the plan's, unless only the copier's own note of its place leads to a folder.

        A target that does not tell upper case from lower had to be given another name.
        """
        state = self._states.get(line.source.raw)
        if line.raw in there.selectable or state is None or state.target in taken:
            return line.raw
        if state.target not in there.selectable:
            return line.raw
        taken.add(state.target)
        return state.target

    def _bench(self, raw: bytes, lines: Sequence[Mapped], there: Looked, held: Mapping[bytes, int]) -> Bench:
        by_header = self._copy.rules.date_from_header
        source = []
        for line in lines:
            refused = self._refused.get(line.source.raw, {})
            contents = read_folder(self._source, line.source.raw, by_header=by_header, suspects=refused)
            known = left_out(self._ledger, self._states.get(line.source.raw), contents)
            source.append(Sent(line, contents, known, refused, held[line.source.raw]))
        target = self._there(raw, there)
        return Bench(source, target, flags_are_the_targets=not self._copy.rules.follow_flags)

    def _there(self, raw: bytes, there: Looked) -> Contents:
        """A folder that is not listed may be there all the same, but not as another spelling of one that is."""
        listed = raw in there.selectable
        if not listed and raw.lower() in {each.lower() for each in there.selectable}:
            return Contents(raw)
        found = read_folder(self._target, raw)
        return Contents(raw) if found.words and not listed and there.is_all else found

    def _approvals(self, bench: Bench) -> Mapping[bytes, Approvals]:
        wanted = self._copy.rules.unstable_approved
        return {
            sent.line.source.raw: Approvals(
                self._ledger.approved(sent.left_out.number) if sent.left_out.number else {}, wanted
            )
            for sent in bench.source
        }

    def _remember(self, bench: Bench, texts: BenchTexts) -> None:
        for sent in bench.source:
            new = texts.approvals[sent.line.source.raw].new
            if new and sent.left_out.number:
                self._ledger.approve(sent.left_out.number, new)
            new.clear()
