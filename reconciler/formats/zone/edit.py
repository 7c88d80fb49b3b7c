"""Edits of a zone's text that touch only the lines which change."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile, zip_longest
from typing import Final, NamedTuple

from reconciler.errors import WriteError
from reconciler.formats.zone.lines import Span
from reconciler.formats.zone.new_line import Spot, new_line
from reconciler.formats.zone.record import Record, ZoneSource
from reconciler.formats.zone.words import owner_like, padded, pieces, spliced, ttl_like
from reconciler.model.rrset import RRset, presentation

Key = tuple[str, str]  # owner and type
_MOST_ROUNDS: Final = 8  # one nearly always; what is still wrong then, the proof refuses
At = tuple[int, int]  # positions of a file and of an entry in it


class Meant(NamedTuple):
    """What a line must say, whatever the lines before it hand down."""

    owner: str
    ttl: int


@dataclass(frozen=True, slots=True)
class Draft:
    """The new text of each file, and what each of its entries is meant to say (None: no record)."""

    texts: tuple[str, ...]
    meant: tuple[tuple[Meant | None, ...], ...]


def edited(zone: ZoneSource, wanted: Mapping[Key, RRset | None], serial: int) -> Draft:
    """The zone with these RRsets (None: without them) and this SOA serial.

    Raises:
        WriteError: a record stands where it cannot be edited.

    """
    edit = _Edit(zone)
    for key, after in wanted.items():
        edit.change(key, after)
    edit.raise_serial(serial)
    return edit.draft()


def settled(draft: Draft, read: Callable[[Sequence[str]], ZoneSource]) -> tuple[Sequence[str], ZoneSource]:
    """Give owner and TTL to the lines that took them from a line which is gone or says something else now."""
    texts = list(draft.texts)
    zone = read(texts)
    for _ in range(_MOST_ROUNDS):
        edits: dict[int, list[tuple[Span, str]]] = defaultdict(list)
        owner_wrong = ttl_wrong = False
        for record in zone.records:
            meant = draft.meant[record.file][record.entry]
            if meant is None or record.written is None:
                continue
            # A line that inherits the same mistake is right once the line before it is.
            first_owner, owner_wrong = not owner_wrong, record.owner != meant.owner
            first_ttl, ttl_wrong = not ttl_wrong, record.ttl != meant.ttl
            if owner_wrong and first_owner:
                edits[record.file].append(_naming(zone, record, meant.owner))
            if ttl_wrong and first_ttl:
                edits[record.file].append(_timing(zone, record, meant.ttl))
        if not edits:
            break
        for number, parts in edits.items():
            texts[number] = spliced(texts[number], Span(0, len(texts[number])), parts)
        zone = read(texts)
    return texts, zone


def _naming(zone: ZoneSource, record: Record, owner: str) -> tuple[Span, str]:
    file = zone.files[record.file]
    entry = file.entries[record.entry]
    space = Span(entry.span.start, entry.words[0].start)
    word = owner_like(owner, record.origin, relative=True)
    return space, padded(word, "", file.text[slice(*space)])


def _timing(zone: ZoneSource, record: Record, ttl: int) -> tuple[Span, str]:
    assert record.written is not None
    if record.written.ttl is not None:
        return record.written.ttl, ttl_like(ttl, zone.files[record.file].text[slice(*record.written.ttl)])
    before = record.written.class_ or record.written.rdtype
    return Span(before.start, before.start), f"{ttl} "


@dataclass
class _Edit:
    """Entries written anew and lines put after them, collected over all changes."""

    zone: ZoneSource
    texts: dict[At, str] = field(default_factory=dict)
    meant: dict[At, Meant] = field(default_factory=dict)
    lines: dict[At, list[tuple[str, Meant]]] = field(default_factory=lambda: defaultdict(list))
    of_rrset: dict[Key, list[Record]] = field(default_factory=lambda: defaultdict(list))
    of_owner: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    changing: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        for record in self.zone.records:
            self.meant.setdefault((record.file, record.entry), Meant(record.owner, record.ttl))
            self.of_rrset[record.key].append(record)
            if record.written is not None:
                self.of_owner[record.owner].append(record)

    def change(self, key: Key, after: RRset | None) -> None:
        self.changing.add(key)
        records = self.of_rrset.get(key, [])
        for record in records:
            self._editable(record)
        rdata = after.rdata if after else frozenset[str]()
        ttl = after.ttl if after else 0
        gone = [record for record in records if record.rdata not in rdata]
        pairs = paired(gone, sorted(rdata - {record.rdata for record in records}))
        for record in records:
            if record.rdata in rdata and record.ttl != ttl:
                self._rewrite(record, ttl)
        for old, new in pairs:
            if old is not None and new is not None:
                self._rewrite(old, ttl, new)
            elif old is not None:
                self.texts[old.file, old.entry] = ""
        added = [new for old, new in pairs if old is None and new is not None]
        if added:
            self._add(key, ttl, added)

    def raise_serial(self, serial: int) -> None:
        soa = self.zone.soa
        assert soa.written is not None
        words = soa.written.rdata
        file = self.zone.files[soa.file]
        if file.text[slice(*words[0])] == "\\#":
            raise WriteError(f"{file.path}: the SOA record is written as \\# octets; write it with its words first")
        span = file.entries[soa.entry].span
        self.texts[soa.file, soa.entry] = spliced(file.text, span, [(words[2], str(serial))])

    def draft(self) -> Draft:
        composed = [self._composed(number) for number in range(len(self.zone.files))]
        return Draft(tuple(text for text, _ in composed), tuple(meant for _, meant in composed))

    def _composed(self, number: int) -> tuple[str, tuple[Meant | None, ...]]:
        file = self.zone.files[number]
        out: list[str] = []
        meant: list[Meant | None] = []
        for index in range(len(file.entries)):
            text = self.texts.get((number, index))
            if text is None:
                text = file.entry_text(index)
            if text:
                out.append(text)
                meant.append(self.meant.get((number, index)))
            for line, says in self.lines.get((number, index), ()):
                if out and not out[-1].endswith(("\n", "\r")):
                    out[-1] += file.newline
                out.append(line + file.newline)
                meant.append(says)
        if not file.text.endswith(("\n", "\r")) and out and not out[-1].lstrip().startswith("$"):
            out[-1] = out[-1].removesuffix(file.newline)  # but BIND 9.18 takes no directive without a line end
        return "".join(out), tuple(meant)

    def _editable(self, record: Record) -> None:
        path = self.zone.files[record.file].path
        line = self.zone.files[record.file].entries[record.entry].line
        if record.written is None:
            raise WriteError(
                f"{path}:{line}: {record.owner} {record.rdtype} is made by $GENERATE, whose line stands for many "
                "records; write these records out one by one, then apply again"
            )
        if record.file in self.zone.repeated:
            raise WriteError(
                f"{path}:{line}: {record.owner} {record.rdtype} stands in a file that the zone includes more than "
                "once, so that a change here would change other names too; make this change by hand"
            )

    def _rewrite(self, record: Record, ttl: int, rdata: str | None = None) -> None:
        file, at, written = self.zone.files[record.file], (record.file, record.entry), record.written
        assert written is not None
        entry = file.entries[record.entry]
        edits = self._ttl_edits(record, ttl)
        if rdata is not None:
            text = presentation(record.rdtype, rdata)
            words = pieces(text)
            bracket = entry.bracket
            if bracket is None and len(words) == len(written.rdata):
                edits += [
                    (span, w) for span, w in zip(written.rdata, words, strict=True) if file.text[slice(*span)] != w
                ]
            elif bracket is None or bracket.start >= written.rdtype.end:
                ends = [*written.rdata, *([bracket] if bracket else [])]
                edits.append((Span(min(e.start for e in ends), max(e.end for e in ends)), text))
            else:
                owner = file.text[slice(*written.owner)] if written.owner else ""
                whole = Span(entry.span.start, max(bracket.end, written.rdata[-1].end))
                edits = [(whole, f"{owner}\t{ttl}\tIN\t{record.rdtype}\t{text}")]
        self.texts[at] = spliced(file.text, entry.span, edits)
        self.meant[at] = Meant(record.owner, ttl)

    def _ttl_edits(self, record: Record, ttl: int) -> list[tuple[Span, str]]:
        written = record.written
        assert written is not None
        if record.ttl == ttl:
            return []
        if written.ttl is None or ttl != record.implied or not record.by_default or self._spells_defaults():
            return [_timing(self.zone, record, ttl)]
        following = min(span.start for span in (written.class_, written.rdtype) if span and span > written.ttl)
        return [(Span(written.ttl.start, following), "")]

    def _spells_defaults(self) -> bool:
        """Whether this zone writes TTLs that $TTL would give anyway."""
        return any(
            record.written is not None and record.written.ttl and record.by_default and record.ttl == record.implied
            for record in self.zone.records
            if record.key not in self.changing and record.rdtype != "SOA"
        )

    def _add(self, key: Key, ttl: int, added: list[str]) -> None:
        """After the last line of the same RRset, else of the same owner, else at the end of the main file."""
        owner, rdtype = key
        beside = self.of_rrset.get(key) or self.of_owner.get(owner) or []
        model = next((record for record in reversed(beside) if record.file not in self.zone.repeated), None)
        if model is not None:
            at, spot = (model.file, model.entry), Spot(model, model.origin, model.implied if model.by_default else None)
        else:
            at = 0, max(index for index, entry in enumerate(self.zone.files[0].entries) if entry.words)
            last = next((r for r in reversed(self.zone.records) if r.file == 0 and r.written), None)
            spot = Spot(last, self.zone.ending.origin, self.zone.ending.default_ttl)
        for rdata in added:
            line = new_line(self.zone, spot, key, ttl, presentation(rdtype, rdata))
            self.lines[at].append((line, Meant(owner, ttl)))


def paired(gone: Sequence[Record], new: Sequence[str]) -> list[tuple[Record | None, str | None]]:
    """Which rdata takes the place of which record: the most alike first, so that each keeps its line and comment."""
    left, right = list(gone), list(new)
    pairs: list[tuple[Record | None, str | None]] = []
    while left and right:
        old, rdata = max(((o, n) for o in left for n in right), key=_likeness)
        pairs.append((old, rdata))
        left.remove(old)
        right.remove(rdata)
    return [*pairs, *zip_longest(left, right)]


def _likeness(pair: tuple[Record, str]) -> int:
    """How many characters two rdata share from the start: the version tag of a TXT, the preference of an MX."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(pair[0].rdata, pair[1], strict=False)))
