"""A zone that exists only while the program runs: for rehearsing a spec, and for tests."""

from pydantic import BaseModel, ConfigDict

from reconciler.extend import Backend, Context, Opened
from reconciler.model.rrset import RRset
from reconciler.products.memory.store import MemoryNameServers, MemoryStore


class MemoryRecords(BaseModel):
    """One RRset of the zone at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    owner: str
    type: str
    ttl: int
    rdata: tuple[str, ...]


class MemoryZoneOptions(BaseModel):
    """What the rehearsed zone holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    records: tuple[MemoryRecords, ...] = ()
    """The RRsets that exist at the start; TXT unquoted."""
    name_servers: tuple[str, ...] = ("memory",)
    """The servers that serve it."""


def open_memory(options: MemoryZoneOptions, _context: Context) -> Opened:
    """A new zone with the options' records."""
    store = MemoryStore(*(RRset.of(r.owner, r.type, r.ttl, *r.rdata) for r in options.records))
    servers = MemoryNameServers(store, *options.name_servers)
    return Opened("a zone in memory", {RRset.kind: store}, name_servers=servers)


BACKEND = Backend("A zone in memory", MemoryZoneOptions, open_memory, source="for rehearsals and tests")
