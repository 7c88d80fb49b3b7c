"""One pass over one mailbox, both connections open: look, match, copy, follow flags, account."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.mailcopy.imap.flags import carry
from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import Labels
from reconciler.mailcopy.imap.listing import Asked, Listed, Wanted, hear, list_folders, still_there
from reconciler.mailcopy.imap.matching import Side, recognise
from reconciler.mailcopy.imap.reading import Job
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.stream import Lane, Stream
from reconciler.mailcopy.model.accounting import Fate, FolderAccount, Record, Refusal, Tally
from reconciler.mailcopy.model.batches import batch_count, batches, fitting
from reconciler.mailcopy.model.flags import Allowed, follow
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.model.message import Row

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

_FOLDERS_AT_ONCE = 50
_MESSAGES_AT_ONCE = 20_000
"""A group goes through all steps together: few round trips for many small folders, little memory for big ones."""


@dataclass(slots=True)
class Work:
    """One folder with something to do, and what became of it."""

    mapped: Mapped
    state: FolderState
    here: Status
    there: Status
    in_doubt: bool
    listed: Listed = field(default_factory=lambda: Listed(b""))
    missing: list[Row] = field(default_factory=list)
    lane: Lane | None = None
    recognised: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The source folder, for people."""
        return self.mapped.source.title

    def wanted(self, *, follows: bool) -> Wanted:
        """What is to be listed of the source."""
        return Wanted(self.mapped.source.raw, self.state.uidnext, self.state.modseq if follows else None)

    @property
    def has_strangers(self) -> bool:
        """Whether the target folder may hold messages that the ledger does not know."""
        known = self.state.known == self.there.messages and self.state.top + 1 == self.there.uidnext
        return self.in_doubt or (self.there.messages > 0 and not known)


def is_unchanged(state: FolderState, here: Status, copy: MailboxCopy) -> bool:
    """Whether one STATUS says that there is nothing to do: no new message, none gone, no flag to follow."""
    same = (state.messages, state.uidnext) == (here.messages, here.uidnext)
    return same and (not copy.rules.follow_flags or (here.modseq > 0 and state.modseq == here.modseq))


def groups(works: Sequence[Work]) -> Iterator[list[Work]]:
    """The folders in groups that go through all steps together."""
    group: list[Work] = []
    messages = 0
    for work in works:
        size = work.here.messages if work.state.uidnext == 1 else 0
        if group and (len(group) >= _FOLDERS_AT_ONCE or messages + size > _MESSAGES_AT_ONCE):
            yield group
            group, messages = [], 0
        group.append(work)
        messages += size
    if group:
        yield group


class GroupPass:
    """The steps, over one group of folders."""

    def __init__(
        self,
        copy: MailboxCopy,
        source: Session,
        target: Session,
        ledger: "MailLedger",
        *,
        labels: Labels | None = None,
        allowed: Mapping[bytes, Allowed] | None = None,
        ahead: Asked | None = None,
    ) -> None:
        """Both sessions are logged in; ``labels`` where the source shows a message in several folders.

        ``allowed``: what flags new folders of the target keep. ``ahead``: a listing that is on the source's wire.
        """
        self._copy, self._source, self._target, self._ledger = copy, source, target, ledger
        self._labels, self._allowed, self._ahead = labels, allowed or {}, ahead

    def look(self, works: Sequence[Work]) -> None:
        """List what is new or changed on the source; record what rules and sizes leave out."""
        wanted = tuple(work.wanted(follows=self._copy.rules.follow_flags) for work in works)
        for work, listed in zip(works, self._listed(wanted), strict=True):
            work.listed = listed
            if listed.words or listed.uidvalidity not in {0, work.state.source_uidvalidity}:
                work.refusals.append(Refusal(work.title, 0, listed.words or "it was made anew meanwhile"))
                continue
            known = self._ledger.records(work.state.number, first=work.state.uidnext) if listed.rows else {}
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
                out = {record.uid for record in left_out}
                fresh = [row for row in fresh if row.uid not in out]
            work.missing = fresh
            listed.rows = []

    def _listed(self, wanted: tuple[Wanted, ...]) -> list[Listed]:
        ahead, self._ahead = self._ahead, None
        listed = hear(self._source, ahead) if ahead else []
        return listed if ahead and ahead.wanted == wanted else list_folders(self._source, wanted)

    def meet(self, works: Sequence[Work]) -> None:
        """Open the target folders, and recognise what stands there already."""
        busy = [work for work in works if work.missing or work.listed.flags]
        for work in [work for work in busy if work.mapped.raw in self._allowed and not work.has_strangers]:
            work.lane = Lane(work.title, work.state, work.there.uidnext, self._allowed[work.mapped.raw])
            busy.remove(work)
        wanted = [Wanted(w.mapped.raw, rows=bool(w.missing) and w.has_strangers) for w in busy]
        opened = list_folders(self._target, wanted, writable=True)
        for work, there in zip(busy, self._with_newcomers(busy, wanted, opened), strict=True):
            work.lane = Lane(work.title, work.state, there.uidnext or work.there.uidnext, there.allowed, there.words)
            if not there.rows or there.words:
                continue
            ours = self._ledger.target_uids(self._copy.key, work.mapped.raw, work.state.target_uidvalidity)
            strangers = [row for row in there.rows if row.uid not in ours]
            if strangers:
                self._recognise(work, strangers)

    def _with_newcomers(self, works: Sequence[Work], wanted: Sequence[Wanted], opened: list[Listed]) -> list[Listed]:
        """Listed after all where mail has come to the target since it was asked where it stands.

        What a filter there has sent on to the source since is in our listing of the source: its original is here.
        """
        late = [
            number
            for number, (work, want, there) in enumerate(zip(works, wanted, opened, strict=True))
            if work.missing and not want.rows and (there.messages, there.uidnext) != work.there[:2]
        ]
        again = list_folders(self._target, [Wanted(works[number].mapped.raw) for number in late], writable=True)
        for number, there in zip(late, again, strict=True):
            opened[number] = there
        return opened

    def copy_missing(self, works: Sequence[Work], stream: Stream, left_today: int | None) -> bool:
        """Bring the rest over; True if the day's volume ended it."""
        jobs: deque[Job] = deque()
        octets = 0
        for work in works:
            most = batch_count(max(work.here.messages, work.there.messages))
            for group in batches(work.missing, most) if work.lane and not work.lane.blocked else ():
                today = group if left_today is None else fitting(group, left_today - octets)
                if today:
                    jobs.append(Job(work.mapped.source.raw, tuple(today)))
                    octets += jobs[-1].octets
                if len(today) < len(group):
                    stream.run(jobs)
                    return True
        stream.run(jobs)
        return False

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
        if words := carry(self._target, work.mapped.raw, work.lane.allowed, changes):
            work.refusals.append(Refusal(work.title, 0, f"flags: {words}"))
            return
        self._ledger.record(work.state.number, [record._replace(flags=now) for record, now in changed])

    def account(self, work: Work) -> FolderAccount:
        """Count; close the folder where nothing is left for the next pass."""
        lane, listed = work.lane, work.listed
        vanished = self._truly_vanished(work) if lane else 0
        if lane and lane.untold:
            self._learn_uids(work, lane)
        counts = self._ledger.counts(work.state.number)
        done = not work.refusals and not (lane and lane.blocked)
        if done and counts.held + vanished > listed.messages:
            held = self._ledger.records(work.state.number).keys()
            self._ledger.gone(work.state.number, held - still_there(self._source, work.mapped.source.raw))
            counts = self._ledger.counts(work.state.number)
        waiting = max(0, listed.messages - counts.held - vanished)
        if done and not waiting:
            self._ledger.close_folder(
                replace(
                    work.state,
                    uidnext=max(listed.uidnext, work.here.uidnext),
                    messages=listed.messages - vanished,
                    modseq=listed.modseq,
                    copied=counts.fates.get(Fate.COPIED, 0),
                    excluded=counts.fates.get(Fate.EXCLUDED, 0),
                    refused=counts.fates.get(Fate.REFUSED, 0),
                    top=counts.top,
                    known=counts.known,
                )
            )
        refusals = [*work.refusals, *(lane.refusals if lane else ())]
        if lane and lane.blocked:
            refusals.append(Refusal(work.title, 0, lane.blocked))
        tally = Tally(
            count=listed.messages,
            copied=counts.fates.get(Fate.COPIED, 0),
            vanished=vanished,
            excluded=counts.fates.get(Fate.EXCLUDED, 0),
            refused=counts.fates.get(Fate.REFUSED, 0),
            waiting=waiting,
            new=(lane.new if lane else 0) + work.recognised,
            recognised=work.recognised,
            octets=lane.octets if lane else 0,
        )
        return FolderAccount(work.title, "/".join(work.mapped.target), tally, tuple(refusals))

    def _excluded(self, row: Row) -> str:
        since = self._copy.rules.since
        if since is None or row.arrived is None or row.arrived >= since.timestamp():
            return ""
        return f"arrived before {since:%Y-%m-%d %H:%M %Z}"

    def _recognise(self, work: Work, strangers: Sequence[Row]) -> None:
        pairs = recognise(
            Side(self._source, work.mapped.source.raw, work.missing), Side(self._target, work.mapped.raw, strangers)
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
        if words := carry(self._target, work.mapped.raw, work.lane.allowed, changes):
            work.refusals.append(Refusal(work.title, 0, f"flags: {words}"))
            as_there = {uid for uid, _ in changes}  # so the next pass sees what is still to be carried
            records = [r._replace(flags=there[r.target_uid].flags) if r.target_uid in as_there else r for r in records]
        self._ledger.record(work.state.number, records)
        work.recognised = len(records)
        work.missing = [row for row in work.missing if row.uid not in pairs]

    def _truly_vanished(self, work: Work) -> int:
        """What the source gave no text for is gone only if it is not listed any more."""
        assert work.lane is not None
        vanished = work.lane.vanished
        if not vanished:
            return 0
        words = "the source lists the message and does not give its text"
        kept = still_there(self._source, work.mapped.source.raw, vanished)
        self._ledger.record(work.state.number, [Record(uid, Fate.REFUSED, words=words) for uid in sorted(kept)])
        work.lane.refusals.extend(Refusal(work.title, uid, words) for uid in sorted(kept))
        return len(vanished - kept)

    def _learn_uids(self, work: Work, lane: Lane) -> None:
        """Find the UIDs of copies where the server does not tell them (no UIDPLUS), so that flags can follow."""
        rows = [row for row in work.missing if row.uid in lane.untold]
        (there,) = list_folders(self._target, [Wanted(work.mapped.raw)])
        ours = self._ledger.target_uids(self._copy.key, work.mapped.raw, work.state.target_uidvalidity)
        pairs = recognise(
            Side(self._source, work.mapped.source.raw, rows),
            Side(self._target, work.mapped.raw, [row for row in there.rows if row.uid not in ours]),
        )
        flags = {row.uid: row.flags for row in rows}
        self._ledger.record(
            work.state.number, [Record(uid, Fate.COPIED, there, flags[uid]) for uid, there in pairs.items()]
        )
