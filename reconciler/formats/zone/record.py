"""A zone's files and records as values: what each record says, and where its parts are written."""

from dataclasses import dataclass, field
from pathlib import Path

from reconciler.formats.zone.lines import Entry, Span
from reconciler.formats.zone.octets import encoded


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the zone. ``path``: after symbolic links; ``newline``: how its lines end; ``times``: inclusions."""

    path: Path
    text: str
    entries: tuple[Entry, ...]
    newline: str

    @property
    def content(self) -> bytes:
        """The octets on disk."""
        return encoded(self.text)

    def entry_text(self, index: int) -> str:
        """One entry as it is written, its line end included."""
        return self.text[slice(*self.entries[index].span)]


@dataclass(frozen=True, slots=True)
class Record:
    """One record and where its parts stand.

    ``file`` and ``entry`` are positions in the zone's files and that file's entries. ``implied`` is the TTL that
    counts where none is written; ``by_default`` tells that it comes from $TTL and not from the line before.
    ``written`` is None for what $GENERATE makes.
    """

    file: int
    entry: int
    owner: str
    rdtype: str
    ttl: int
    rdata: str
    origin: str
    implied: int | None = None
    by_default: bool = False
    written: "Written | None" = None

    @property
    def key(self) -> tuple[str, str]:
        """The RRset it belongs to."""
        return self.owner, self.rdtype


@dataclass(frozen=True, slots=True)
class Written:
    """The spans of a record's parts; None where a part is left out."""

    owner: Span | None
    ttl: Span | None
    class_: Span | None
    rdtype: Span
    rdata: tuple[Span, ...]


@dataclass(slots=True)
class Ending:
    """What is in force after the last line of the main file."""

    origin: str
    default_ttl: int | None = None


@dataclass(slots=True)
class ZoneSource:
    """All files, the main one first, and all records in the order in which a name server reads them."""

    origin: str
    files: list[SourceFile] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    flat: list[str] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    ending: Ending = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the origin in force."""
        self.ending = Ending(self.origin)

    @property
    def soa(self) -> Record:
        """The one SOA record, which ``load`` has made sure of."""
        return next(record for record in self.records if record.rdtype == "SOA")
