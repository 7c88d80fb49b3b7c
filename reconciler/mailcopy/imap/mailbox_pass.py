"""One pass over one mailbox, both connections open: look, match, copy, follow flags, account."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.mailcopy.imap.flags import Refused, carry
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.lane import Lane
from reconciler.mailcopy.imap.listing import hear, list_folders
from reconciler.mailcopy.imap.matching import Shelf, recognise
from reconciler.mailcopy.imap.planning import Agenda
from reconciler.mailcopy.imap.reading import Job
from reconciler.mailcopy.imap.rows import Listed, Wanted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.stream import Stream
from reconciler.mailcopy.imap.work import Work
from reconciler.mailcopy.model.accounting import Fate, Record, Refusal
from reconciler.mailcopy.model.batches import batch_count, batches, fitting
from reconciler.mailcopy.model.flags import follow
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.suspects import OF_SOURCE, Suspects

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger


class GroupPass:
    """The steps, over one group of folders."""

    def __init__(
        self,
        copy: MailboxCopy,
        source: Session,
        target: Session,
        ledger: "MailLedger",
        *,
        agenda: Agenda,
        suspects: Suspects,
    ) -> None:
        """Both sessions are logged in."""
        self._copy, self._source, self._target, self._ledger = copy, source, target, ledger
        self._labels, self._allowed, self._ahead = agenda.labels, agenda.allowed, agenda.ahead
        self._suspects = suspects

    def look(self, works: Sequence[Work]) -> None:
        """List what is new or changed on the source; record what rules and sizes leave out."""
        wanted = tuple(work.wanted(follows=self._copy.rules.follow_flags) for work in works)
        for work, found in zip(works, self._listed(wanted), strict=True):
            work.listed = listed = found
            if listed.words or listed.uidvalidity not in {0, work.state.source_uidvalidity}:
                work.refusals.append(Refusal(work.title, 0, listed.words or "it was made anew meanwhile"))
                continue
            known = self._ledger.records(work.state.number, first=work.state.uidnext) if listed.rows else {}
            if self._hides(work, known):
                work.listed = listed = list_folders(self._source, [Wanted(work.mapped.source.raw)], self._suspects)[0]
                known = self._ledger.records(work.state.number)
            self._sort(work, known)

    def _hides(self, work: Work, known: Mapping[int, Record]) -> bool:
        """Whether there is more than was listed: UIDNEXT runs ahead on some servers, and new messages are below it."""
        if work.state.uidnext == 1:
            return False
        held = self._ledger.counts(work.state.number).held
        fresh = sum(row.uid not in known for row in work.listed.rows) + len(work.listed.unlisted)
        if work.listed.messages > held + fresh:
            return True
        below = work.listed.flags.keys() - known.keys()
        not_copied = below - self._ledger.flags(work.state.number, below).keys()
        return bool(not_copied) and bool(not_copied - self._ledger.records(work.state.number).keys())

    def _sort(self, work: Work, known: Mapping[int, Record]) -> None:
        listed = work.listed
        refused = [Record(uid, Fate.REFUSED, words=_of_source(said)) for uid, said in listed.unlisted.items()]
        self._refuse(work, [record for record in refused if record.uid not in known])
        fresh = [row for row in listed.rows if row.uid not in known]
        listed.flags.update((row.uid, row.flags) for row in listed.rows if row.uid in known)
        why_not = {row.uid: why for row in fresh if (why := self._excluded(row))}
        if self._labels and (listed.rows or listed.flags):
            wanted_rows = [row for row in fresh if row.uid not in why_not]
            why_not |= self._labels.look(work.mapped.source, work.state.number, listed, wanted_rows)
            fresh = [row for row in listed.rows if row.uid not in known]
        left_out = [Record(uid, Fate.EXCLUDED, words=why) for uid, why in why_not.items()]
        if left_out:
            self._ledger.record(work.state.number, left_out)
            fresh = [row for row in fresh if row.uid not in why_not]
        work.missing = fresh
        work.undated = sum(row.arrived is None for row in fresh)
        listed.rows = []

    def _refuse(self, work: Work, records: Sequence[Record]) -> None:
        if records:
            self._ledger.record(work.state.number, records)
            work.refusals += [Refusal(work.title, record.uid, record.words) for record in records]

    def _listed(self, wanted: tuple[Wanted, ...]) -> list[Listed]:
        ahead, self._ahead = self._ahead, None
        listed = hear(self._source, ahead, self._suspects) if ahead else []
        return listed if ahead and ahead.wanted == wanted else list_folders(self._source, wanted, self._suspects)

    def meet(self, works: Sequence[Work]) -> None:
        """Open the target folders, and recognise what stands there already."""
        busy = [work for work in works if work.missing or work.listed.flags]
        for work in [work for work in busy if work.mapped.raw in self._allowed and not work.has_strangers]:
            work.lane = Lane(work.title, work.state, work.there.uidnext, self._allowed[work.mapped.raw])
            busy.remove(work)
        wanted = [Wanted(w.mapped.raw, rows=bool(w.missing) and w.has_strangers) for w in busy]
        opened = list_folders(self._target, wanted, self._suspects, writable=True)
        for work, there in zip(busy, self._with_newcomers(busy, wanted, opened), strict=True):
            uidnext = there.uidnext or work.there.uidnext
            words = there.words or there.rows_refused
            work.lane = Lane(work.title, work.state, uidnext, there.allowed, words, there.messages)
            if not there.rows or words:
                continue
            ours = self._ledger.target_uids(self._copy.key, work.mapped.raw, work.state.target_uidvalidity)
            strangers = [row for row in there.rows if row.uid not in ours]
            if strangers:
                self._recognise(work, strangers)
        for work in works:
            self._give_up(work)

    def _give_up(self, work: Work) -> None:
        """What has ended a connection alone is not tried again, unless it stands on the target all the same."""
        found = self._suspects.refused.get(work.mapped.source.raw, {})
        work.given_up = {row.uid: found[row.uid] for row in work.missing if row.uid in found}
        work.missing = [row for row in work.missing if row.uid not in found]

    def _with_newcomers(self, works: Sequence[Work], wanted: Sequence[Wanted], opened: list[Listed]) -> list[Listed]:
        """Listed after all where mail has come to the target since it was asked where it stands.

        What a filter there has sent on to the source since is in our listing of the source: its original is here.
        """
        late = [
            number
            for number, (work, want, there) in enumerate(zip(works, wanted, opened, strict=True))
            if work.missing and not want.rows and not there.words and (there.messages, there.uidnext) != work.there[:2]
        ]
        every = [Wanted(works[number].mapped.raw) for number in late]
        again = list_folders(self._target, every, self._suspects, writable=True)
        for number, there in zip(late, again, strict=True):
            opened[number] = there
        return opened

    def copy_missing(self, works: Sequence[Work], stream: Stream, left_today: int | None) -> bool:
        """Bring the rest over; True if the day's volume ended it."""
        jobs: deque[Job] = deque()
        octets = 0
        for raw, group, alone in self._batches(works):
            today = group if left_today is None else fitting(group, left_today - octets)
            if today:
                jobs.append(Job(raw, tuple(today), alone))
                octets += jobs[-1].octets
            if len(today) < len(group):
                stream.run(jobs)
                return True
        stream.run(jobs)
        return False

    def _batches(self, works: Sequence[Work]) -> Iterator[tuple[bytes, Sequence[Row], bool]]:
        """By source folder; what is under suspicion comes after all the others, each group alone."""
        apart = []
        for work in works:
            if work.lane is None or work.lane.blocked:
                continue
            raw = work.mapped.source.raw
            ordinary, groups_alone = self._suspects.parted(raw, work.missing)
            apart += [(raw, group) for group in groups_alone]
            for group in batches(ordinary, batch_count(max(work.here.messages, work.there.messages))):
                yield raw, group, False
        for raw, suspected in apart:
            yield raw, suspected, True

    def follow_flags(self, work: Work) -> None:
        """Carry what the user changed on the source since the last pass."""
        if not work.listed.flags or work.lane is None or work.lane.blocked:
            return
        known = self._ledger.flags(work.state.number, work.listed.flags.keys())
        changed = [(rec, work.listed.flags[uid]) for uid, rec in known.items() if rec.flags != work.listed.flags[uid]]
        changes = [
            (record.target_uid, change)
            for record, now in changed
            if record.target_uid and (change := follow(record.flags, now))
        ]
        if self._flags_refused(work, carry(self._target, work.mapped.raw, work.lane.allowed, changes)):
            return
        self._ledger.record(work.state.number, [record._replace(flags=now) for record, now in changed])

    @staticmethod
    def _flags_refused(work: Work, refused: Refused) -> bool:
        """Whether the next pass is to try again; keywords, and a folder that says it keeps no flags, are only told."""
        if refused.keywords:
            work.notes.append(f"keywords were left off messages that stand there: {refused.keywords}")
        if not refused.words:
            return False
        if work.lane and work.lane.allowed.tried:
            work.notes.append(f"no flags are kept there: {refused.words}")
            return False
        work.refusals.append(Refusal(work.title, 0, f"flags: {refused.words}"))
        return True

    def _excluded(self, row: Row) -> str:
        since = self._copy.rules.since
        if since is None or row.arrived is None or row.arrived >= since.timestamp():
            return ""
        return f"arrived before {since:%Y-%m-%d %H:%M %Z}"

    def _recognise(self, work: Work, strangers: Sequence[Row]) -> None:
        left_alone = self._suspects.refused.get(work.mapped.source.raw, {})
        mine = [row for row in work.missing if not left_alone.get(row.uid, "").startswith(OF_SOURCE)]
        pairs = recognise(
            Shelf(self._source, work.mapped.source.raw, mine),
            Shelf(self._target, work.mapped.raw, strangers),
            self._suspects,
        )
        there = {row.uid: row for row in strangers}
        records, changes = [], []
        for row in work.missing:
            if row.uid in pairs:
                target_uid = pairs[row.uid]
                records.append(Record(row.uid, Fate.COPIED, target_uid, row.flags))
                if self._copy.rules.follow_flags and (change := follow(there[target_uid].flags, row.flags)):
                    changes.append((target_uid, change))
        assert work.lane is not None
        if self._flags_refused(work, carry(self._target, work.mapped.raw, work.lane.allowed, changes)):
            as_there = {uid for uid, _ in changes}  # so the next pass sees what is still to be carried
            records = [r._replace(flags=there[r.target_uid].flags) if r.target_uid in as_there else r for r in records]
        self._ledger.record(work.state.number, records)
        work.recognised = len(records)
        work.missing = [row for row in work.missing if row.uid not in pairs]


def _of_source(words: str) -> str:
    return words if words.startswith(OF_SOURCE) else f"{OF_SOURCE}: {words}"
