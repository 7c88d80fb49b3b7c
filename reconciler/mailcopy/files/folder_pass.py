"""One folder of files brought into one folder of a Maildir: recognise, deliver, follow flags, account."""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import Final

from reconciler.mailcopy.files.delivery import Delivery, Letter
from reconciler.mailcopy.files.files import PIECE, MaildirFiles, Seen
from reconciler.mailcopy.files.following import follow_flags
from reconciler.mailcopy.files.job import FilesCopy, Source
from reconciler.mailcopy.files.recognising import recognise
from reconciler.mailcopy.files.work import Books, Moved, Work, letters_for
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.accounting import Fate, FolderAccount, Record, Tally
from reconciler.mailcopy.model.batches import batches
from reconciler.mailcopy.model.maildir_name import FileName, name_of_copy, number_of
from reconciler.mailcopy.model.message import Row

_BATCH: Final = 500
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"Dovecot-LZ4": "lz4",
    b"CRYPTED\x03\x07": "mail_crypt",
}
"""How a file begins that Dovecot's zlib or mail_crypt plugin has written."""


class FolderPass:
    """The steps, over one folder at a time."""

    def __init__(self, copy: FilesCopy, source: Source, target: MaildirFiles, delivery: Delivery, means: Means) -> None:
        """Nothing is read or written yet."""
        self._copy, self._source, self._target = copy, source, target
        self._delivery, self._ledger, self._books = delivery, means.ledger, Books(means.ledger)
        self._follows = copy.rules.follow_flags and source.keeps_flags

    def begin(self, work: Work) -> None:
        """What is not accounted for yet, without what rules leave out and what stands on the target."""
        mark = work.here.mark
        if mark != (0, 0) and (work.state.uidnext, work.state.modseq) == mark:
            work.saved = True
            return
        self._source.fill(work.here)
        work.records = dict(self._ledger.records(work.state.number))
        fresh = [row for row in work.here.rows.values() if row.uid not in work.records]
        self._books.note(
            work, [Record(row.uid, Fate.EXCLUDED, words=why) for row in fresh if (why := self._excluded(row))]
        )
        fresh = [row for row in fresh if row.uid not in work.records]
        fresh.sort(key=lambda row: (self._source.original(work.here, row.uid).begun, row.uid))
        pairs = {row.uid: n for row in fresh if (n := number_of(self._base(work, row))) in work.there.rows}
        rest = [row for row in fresh if row.uid not in pairs]
        if rest and work.there.rows:
            ours = self._ledger.target_uids(self._copy.key, work.mapped.raw, work.state.target_uidvalidity)
            taken = {*ours, *pairs.values()}
            strangers = [row for number, row in work.there.rows.items() if number not in taken]
            pairs.update(recognise(self._source, self._target, work, rest, strangers) if strangers else {})
        found = [(row, pairs[row.uid]) for row in fresh if row.uid in pairs]
        flags = [work.there.rows[n].flags if self._follows else row.flags for row, n in found]  # followed from there on
        self._books.note(work, [Record(r.uid, Fate.COPIED, n, f) for (r, n), f in zip(found, flags, strict=True)])
        work.recognised = work.new = len(pairs)
        work.missing = [row for row in fresh if row.uid not in pairs]

    def copy_missing(self, work: Work, there: Seen, moved: Moved) -> None:
        """Deliver the rest; what is gone from where it was listed is looked for once more."""
        left = self._deliver(work, work.missing, there, moved)
        if left:
            again = self._source.look().inside.get(work.here.folder.raw)
            if again:
                self._source.fill(again)
                work.here.places.update(again.places)
            listed = [row for row in left if again and row.uid in again.rows]
            left_again = self._deliver(work, listed, there, moved)
            words = "the source lists the message and does not give its text"
            self._books.refuse(work, {row.uid: words for row in left_again})
            work.vanished = len(left) - len(listed)
        work.missing = []

    def follow_flags(self, work: Work) -> None:
        """Carry what the user changed on the source since the last pass."""
        if self._follows and not work.saved:
            follow_flags(work, self._target, self._delivery, self._books)

    def account(self, work: Work) -> FolderAccount:
        """Count, and close the folder: every message is accounted for, or left to the next pass."""
        into = "/".join(work.mapped.target)
        if work.saved:
            state = work.state
            tally = Tally(state.messages, state.copied, 0, state.excluded, state.refused)
            return FolderAccount(work.title, into, tally)
        fates = dict.fromkeys(Fate, 0)
        for uid in work.here.rows:
            if uid in work.records:
                fates[work.records[uid].fate] += 1
        count = len(work.here.rows)
        done = sum(fates.values()) + work.vanished
        tally = Tally(
            count=count,
            copied=fates[Fate.COPIED],
            vanished=work.vanished,
            excluded=fates[Fate.EXCLUDED],
            refused=fates[Fate.REFUSED],
            waiting=count - done,
            new=work.new,
            recognised=work.recognised,
            octets=work.octets,
        )
        if count == done:
            size, time = work.here.mark
            self._ledger.close_folder(
                replace(
                    work.state,
                    uidnext=size if not work.vanished else 0,
                    modseq=time,
                    messages=count - work.vanished,
                    copied=tally.copied,
                    excluded=tally.excluded,
                    refused=tally.refused,
                    known=len(work.records),
                )
            )
        return FolderAccount(work.title, into, tally, tuple(work.refusals))

    def _deliver(self, work: Work, rows: Sequence[Row], there: Seen, moved: Moved) -> list[Row]:
        """All of them, the next batch being read while one is delivered; gives those that were not where they were."""
        left: list[Row] = []
        waiting = deque(batches(rows, _BATCH))
        with ThreadPoolExecutor(max_workers=1) as reader:
            coming = self._read(reader, work, waiting)
            while coming:
                group, texts = coming
                found = texts.result() if texts else None
                coming = self._read(reader, work, waiting)
                brought = (
                    self._deliver_batch(work, group, found) if found is not None else self._deliver_big(work, group)
                )
                left += [row for row in group if row.uid not in work.records]
                octets = sum(row.size for row in brought)
                if brought and there.has_quota_file:
                    self._delivery.count(octets, len(brought))
                work.new += len(brought)
                work.octets += octets
                moved(work, len(brought), octets)
        return left

    def _read(
        self, reader: ThreadPoolExecutor, work: Work, waiting: deque[Sequence[Row]]
    ) -> tuple[Sequence[Row], Future[dict[int, bytes]] | None] | None:
        if not waiting:
            return None
        group = waiting.popleft()
        if len(group) == 1 and group[0].size > PIECE:
            return group, None
        return group, reader.submit(self._source.contents, work.here, [row.uid for row in group])

    def _deliver_batch(self, work: Work, group: Sequence[Row], texts: Mapping[int, bytes]) -> list[Row]:
        self._books.refuse(work, {uid: why for uid, text in texts.items() if (why := _packed(text))})
        brought = [row for row in group if row.uid in texts and row.uid not in work.records]
        letters = [self._letter(work, row, texts[row.uid]) for row in brought]
        if letters:
            self._delivery.deliver(work.directory, letters)
            self._copied(work, brought, letters)
        return brought

    def _deliver_big(self, work: Work, group: Sequence[Row]) -> list[Row]:
        (row,) = group
        pieces = self._source.pieces(work.here, row.uid)
        first = next(pieces, b"")
        if not first:
            return []
        if why := _packed(first):
            self._books.refuse(work, {row.uid: why})
            return []
        letter = self._letter(work, row, b"")

        if not self._delivery.deliver_pieces(work.directory, letter, chain([first], pieces), row.size):
            return []
        self._copied(work, group, [letter])
        return list(group)

    def _letter(self, work: Work, row: Row, text: bytes) -> Letter:
        original = self._source.original(work.here, row.uid)
        kept = FileName(self._base(work, row), "".join(c for c in original.letters if c == "P"))
        name = kept.with_flags(row.flags, letters_for(work, self._delivery, row.flags))
        return Letter("new" if original.new and not name.letters else "cur", name, row.arrived or 0, text)

    def _copied(self, work: Work, rows: Sequence[Row], letters: Sequence[Letter]) -> None:
        self._books.note(
            work,
            [
                Record(row.uid, Fate.COPIED, number_of(letter.name.base), row.flags)
                for row, letter in zip(rows, letters, strict=True)
            ],
        )

    def _base(self, work: Work, row: Row) -> str:
        original = self._source.original(work.here, row.uid)
        folder = work.mapped.source.raw.decode("utf-8", "surrogateescape")
        key = self._copy.key
        return name_of_copy((key.account, key.source, folder, original.what), original.begun, row.size)

    def _excluded(self, row: Row) -> str:
        since = self._copy.rules.since
        if since is None or row.arrived is None or row.arrived >= since.timestamp():
            return ""
        return f"arrived before {since:%Y-%m-%d %H:%M %Z}"


def _packed(text: bytes) -> str:
    """Why a file cannot be carried as it is."""
    kind = next((name for mark, name in _PACKED.items() if text.startswith(mark)), "")
    if not kind:
        return ""
    return f"the file is packed by the server ({kind}), which another server need not understand: copy it over IMAP"
