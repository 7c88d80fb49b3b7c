"""A new line in a zone file, in the shape of the line that it stands beside."""

from typing import NamedTuple

from reconciler.formats.zone.lines import Span
from reconciler.formats.zone.record import Record, SourceFile, Written, ZoneSource
from reconciler.formats.zone.words import is_relative, owner_like, padded, spliced, ttl_like


class Spot(NamedTuple):
    """Where a line will stand: the record to model it on, $ORIGIN there, and what $TTL gives there."""

    model: Record | None
    origin: str
    default_ttl: int | None


def new_line(zone: ZoneSource, spot: Spot, key: tuple[str, str], ttl: int, rdata: str) -> str:
    """One record without its line end; ``rdata`` in presentation format."""
    owner, rdtype = key
    model = spot.model
    word = owner_like(
        owner, spot.origin, relative=model is not None and _names_are_relative(zone.files[model.file], model)
    )
    plain = f"{word}\t{ttl}\tIN\t{rdtype}\t{rdata}"
    if model is None or model.written is None:
        return plain
    file, written = zone.files[model.file], model.written
    entry = file.entries[model.entry]
    if entry.bracket is not None and entry.bracket.start < written.rdtype.end:
        return plain
    edits = _ttl(file, written, ttl, spot)
    if owner != model.owner or spot.origin != model.origin:
        begin = written.owner or Span(entry.span.start, entry.span.start)
        space = Span(begin.end, entry.words[1 if written.owner else 0].start)
        edits.append((Span(begin.start, space.end), padded(word, file.text[slice(*begin)], file.text[slice(*space)])))
    head = spliced(file.text, Span(entry.span.start, written.rdtype.start), edits)
    first = min(span.start for span in (*written.rdata[:1], entry.bracket) if span is not None)
    return head + padded(rdtype, file.text[slice(*written.rdtype)], file.text[written.rdtype.end : first]) + rdata


def _ttl(file: SourceFile, written: Written, ttl: int, spot: Spot) -> list[tuple[Span, str]]:
    """Left out where the model leaves it out and $TTL gives the same."""
    if written.ttl is not None:
        return [(written.ttl, ttl_like(ttl, file.text[slice(*written.ttl)]))]
    if ttl == spot.default_ttl:
        return []
    before = (written.class_ or written.rdtype).start
    return [(Span(before, before), f"{ttl} ")]


def _names_are_relative(file: SourceFile, model: Record) -> bool:
    """Whether the last owner name at or above ``model`` is written relative to $ORIGIN."""
    for entry in reversed(file.entries[: model.entry + 1]):
        if entry.words and not entry.indented and file.text[entry.words[0].start] != "$":
            return is_relative(file.text[slice(*entry.words[0])])
    return False
