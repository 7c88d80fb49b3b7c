"""Reads a zone from its files as a name server would, and notes where every record is written."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.exception
import dns.name
import dns.rdatatype
import dns.ttl

from reconciler.errors import ObserveError
from reconciler.formats.zone.lines import Entry, LineError, entries_of
from reconciler.formats.zone.normal import absolute, name_of, normal, shown, type_of
from reconciler.formats.zone.octets import decoded, plain
from reconciler.formats.zone.reader import parsed
from reconciler.formats.zone.record import Ending, Record, SourceFile, Written, ZoneSource
from reconciler.model.rrset import text_of

_MOST_INCLUDES: Final = 32  # files inside one another; more is a circle
_CLASS: Final = re.compile(r"(IN|CH|HS|CLASS\d+)\Z", re.IGNORECASE)
_OUR_CLASS: Final = {"IN", "CLASS1"}

Read = Callable[[Path], bytes]


@dataclass(slots=True)
class _State:
    """What one line hands to the next, over the borders of files (RFC 2308, section 4; RFC 1035, section 5.1)."""

    origin: str
    owner: dns.name.Name
    default_ttl: int | None = None
    default_from_soa: bool = False
    last_ttl: int | None = None

    def implied(self) -> tuple[int | None, bool]:
        """The TTL of a line that has none, and whether it comes from $TTL."""
        if self.last_ttl is not None and (self.default_ttl is None or self.default_from_soa):
            return self.last_ttl, False
        return self.default_ttl, self.default_ttl is not None and not self.default_from_soa


def load(path: Path, origin: str, read: Read, includes: Path | None = None) -> ZoneSource:
    """Read the zone that begins in ``path``; ``includes`` is where relative $INCLUDE paths start.

    Raises:
        ObserveError: a file is missing or wrong; the message has file, line and reason.

    """
    zone = ZoneSource(origin)
    _Walk(zone, read, includes, _State(origin, absolute(origin))).file(path, ())
    count = sum(record.rdtype == "SOA" for record in zone.records)
    if count != 1 or zone.soa.owner != origin:
        found = f"{count} SOA records" if count != 1 else f"an SOA record for {zone.soa.owner}"
        raise ObserveError(
            f"{path}: the zone {origin} needs one SOA record, this file gives {found}. It may be half-written, or "
            "belong to another zone: correct the file, or name its zone as `origin` in the spec"
        )
    return zone


class _Walk:
    """Goes through the files as a name server would."""

    def __init__(self, zone: ZoneSource, read: Read, includes: Path | None, state: _State) -> None:
        self.zone = zone
        self.read = read
        self.includes = includes
        self.state = state
        self.names_owner = False  # the next record must name its owner in the flat text

    def file(self, path: Path, parents: tuple[Path, ...]) -> None:
        resolved = Path(os.path.realpath(path))  # a circle of links stays one, and reading it says so
        if resolved in parents or len(parents) > _MOST_INCLUDES:
            raise ObserveError(f"{path}: the file includes itself; remove one $INCLUDE of the circle")
        number = self._opened(path, resolved)
        source = self.zone.files[number]
        for index, entry in enumerate(source.entries):
            try:
                self._entry(number, index, entry, (*parents, resolved))
            except (dns.exception.DNSException, ValueError) as error:
                raise unreadable(path, entry.line, error) from error
        if not source.text.endswith(("\n", "\r")):
            self.zone.flat.append("\n")
        if not parents:
            default = None if self.state.default_from_soa else self.state.default_ttl
            self.zone.ending = Ending(self.state.origin, default)

    def _opened(self, path: Path, resolved: Path) -> int:
        for number, known in enumerate(self.zone.files):
            if known.path == resolved:
                self.zone.repeated.add(number)
                return number
        text = decoded(self._octets(path, resolved))
        try:
            entries = _entries(text)
        except LineError as error:
            raise unreadable(path, error.line, error) from error
        first = re.search(r"\r\n|\n|\r", text)
        self.zone.files.append(SourceFile(resolved, text, entries, first[0] if first else "\n"))
        return len(self.zone.files) - 1

    def _octets(self, path: Path, resolved: Path) -> bytes:
        try:
            return self.read(resolved)
        except ObserveError as error:
            if not path.is_symlink():
                raise
            raise ObserveError(f"{path} is a symbolic link: {error}") from error

    def _entry(self, number: int, index: int, entry: Entry, parents: tuple[Path, ...]) -> None:
        text = self.zone.files[number].text
        words = [text[slice(*span)] for span in entry.words]
        if not words:
            self.zone.flat.append(text[slice(*entry.span)])
        elif words[0].startswith("$") and not entry.indented:
            self._directive(number, index, entry, words, parents)
        else:
            self._record(number, index, entry, words)

    def _directive(self, number: int, index: int, entry: Entry, words: list[str], parents: tuple[Path, ...]) -> None:
        text = self.zone.files[number].entry_text(index)
        name, arguments = words[0].upper(), words[1:]
        if name == "$INCLUDE" and len(arguments) in {1, 2}:
            self._include(parents, *arguments)
            return
        self.zone.flat.append(text)
        if name == "$TTL" and len(arguments) == 1:
            self.state.default_ttl, self.state.default_from_soa = dns.ttl.from_text(arguments[0]), False
        elif name == "$ORIGIN" and len(arguments) == 1:
            self.state.origin = name_of(arguments[0], self.state.origin).to_text()
        elif name == "$GENERATE":
            self._generate(number, index, text)
        else:
            raise LineError(entry.line, f"{words[0]} is not understood here, or has the wrong number of values")

    def _include(self, parents: tuple[Path, ...], name: str, origin: str | None = None) -> None:
        """The parent's origin and owner come back afterwards, the TTLs do not (as BIND 9.18 reads it)."""
        before = self.state.origin, self.state.owner
        if origin is not None:
            self.state.origin = name_of(origin, self.state.origin).to_text()
        self.zone.flat.append(f"$ORIGIN {self.state.origin}\n")
        self.file((self.includes or parents[-1].parent) / name.strip('"'), parents)
        self.state.origin, self.state.owner = before
        self.zone.flat.append(f"$ORIGIN {self.state.origin}\n")
        self.names_owner = True

    def _generate(self, number: int, index: int, text: str) -> None:
        implied, _ = self.state.implied()
        head = f"$ORIGIN {self.state.origin}\n" + (f"$TTL {implied}\n" if implied is not None else "")
        for owner, ttl, rdata in parsed(head + plain(text), self.zone.origin):
            rdtype = dns.rdatatype.to_text(rdata.rdtype)
            made = Record(number, index, shown(owner), rdtype, ttl, text_of(rdata), self.state.origin)
            self.zone.records.append(made)
            self.state.owner = owner

    def _record(self, number: int, index: int, entry: Entry, words: list[str]) -> None:
        source = self.zone.files[number]
        parts = iter(range(len(words)))
        text = source.entry_text(index)
        if not entry.indented:
            self.state.owner = name_of(words[next(parts)], self.state.origin)
        elif self.names_owner:
            text = f"{self.state.owner}{text}"
        self.names_owner = False
        self.zone.flat.append(text)
        if not self.state.owner.is_subdomain(absolute(self.zone.origin)):
            return  # name servers ignore it, and so do we
        self.zone.records.append(self._parts(number, index, entry, words, parts))

    def _parts(self, number: int, index: int, entry: Entry, words: list[str], parts: Iterator[int]) -> Record:
        ttl_at = class_at = type_at = None
        for part in parts:
            if ttl_at is None and words[part][0].isdigit():
                ttl_at = part
            elif class_at is None and _CLASS.match(words[part]):
                class_at = part
            else:
                type_at = part
                break
        if type_at is None:
            raise LineError(entry.line, "a record needs a type after its owner name")
        if class_at is not None and words[class_at].upper() not in _OUR_CLASS:
            raise LineError(entry.line, f"the class {words[class_at]} is not IN, the class of the Internet")
        rdtype, rest = type_of(words[type_at]), range(type_at + 1, len(words))
        rdata = normal(rdtype, " ".join(words[part] for part in rest), self.state.origin)
        implied, by_default = self.state.implied()
        ttl = dns.ttl.from_text(words[ttl_at]) if ttl_at is not None else implied
        if rdtype == "SOA" and self.state.default_ttl is None:
            ttl = self._default_from_soa(int(rdata.rpartition(" ")[2]), ttl)
        if ttl is None:
            raise LineError(entry.line, "the record has no TTL, and there is no $TTL line before it")
        if ttl_at is not None:
            self.state.last_ttl = ttl
        span = entry.words.__getitem__
        written = Written(
            owner=None if entry.indented else span(0),
            ttl=None if ttl_at is None else span(ttl_at),
            class_=None if class_at is None else span(class_at),
            rdtype=span(type_at),
            rdata=tuple(map(span, rest)),
        )
        owner = shown(self.state.owner)
        return Record(number, index, owner, rdtype, ttl, rdata, self.state.origin, implied, by_default, written)

    def _default_from_soa(self, minimum: int, ttl: int | None) -> int:
        """Without $TTL the SOA's last number stands in; without a TTL on the SOA it binds, as $TTL does (BIND 9.18)."""
        self.state.default_ttl, self.state.default_from_soa = minimum, ttl is not None
        if ttl is not None:
            return ttl
        self.zone.flat.append(f"\n$TTL {minimum}\n")  # where dnspython sees it otherwise
        return minimum


def _entries(text: str) -> tuple[Entry, ...]:
    if text.startswith("\ufeff"):
        raise LineError(1, "it begins with a byte order mark, which name servers refuse; save it without")
    if "\0" in text:
        raise LineError(text.count("\n", 0, text.index("\0")) + 1, "a zero byte: the file is damaged")
    return entries_of(text)


def unreadable(path: Path, line: int, error: Exception) -> ObserveError:
    """What is wrong in a line, for people."""
    reason = str(error).rstrip(". ") or type(error).__name__
    return ObserveError(
        f"{path}:{line}: {reason}. The zone cannot be read as a name server would, so nothing is planned or written; "
        "correct the line (`named-checkzone ZONE FILE` judges it too) and run again"
    )
