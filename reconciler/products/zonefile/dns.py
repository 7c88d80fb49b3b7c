"""BIND zone files (RFC 1035, section 5), also those of NSD, Knot and PowerDNS's BIND backend.

Only the lines that change are written; comments, order and every other octet stay, and the SOA serial is raised.
"""

import os
import subprocess
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.extend import Backend, Context, Opened
from reconciler.formats.zone.edit import Key, edited, settled
from reconciler.formats.zone.octets import decoded, encoded
from reconciler.formats.zone.record import ZoneSource
from reconciler.formats.zone.serial import raised
from reconciler.formats.zone.source import load
from reconciler.model.change import Change
from reconciler.model.name import owner_name
from reconciler.model.rrset import RRset
from reconciler.ports import Clock
from reconciler.products.zonefile import disk
from reconciler.products.zonefile.kept import Kept
from reconciler.products.zonefile.proof import Fact, facts, prove, prove_ttls, served_ttls
from reconciler.products.zonefile.rules import allow
from reconciler.products.zonefile.untold import Untold
from reconciler.transports import file_lock

_PATIENCE: Final = 60  # seconds for the reload command


class Options(BaseModel):
    """A zone file, as the spec names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    file: Path
    """The zone file; a relative path starts at the spec's folder."""
    origin: str | None = None
    """The zone's name, where it is not the domain itself."""
    includes: Path | None = None
    """The folder where relative $INCLUDE paths start (BIND: `directory`); if silent, that of the including file."""
    reload: tuple[str, ...] = ()
    """The command that tells the name server, as a list: [rndc, reload, example.org]; it gets no terminal to ask at."""
    kept: Path = Path(".reconciler/zonefile")
    """The folder for the file's text before each write, so that rolling back gives the same spaces and comments."""
    name: str | None = None
    """What plans and messages call it."""


@dataclass(slots=True)
class ZoneFile:
    """The RRsets of a zone file, but SOA; also what its name servers will serve (there is no network here).

    A run that ended between a write and its reload, or whose reload failed, is made good before anything counts as
    served.
    """

    path: Path
    label: str
    origin: str
    clock: Clock
    kept: Kept
    untold: Untold
    includes: Path | None = None
    reload: tuple[str, ...] = ()
    batch: int = 64

    def read(self, names: Collection[str] | None = None) -> Iterable[RRset]:
        """All RRsets, or those with these names, in the file's order."""
        return [rrset for name, rrset in rrsets(self._load()).items() if names is None or name in names]

    def served(self, names: Collection[str]) -> Mapping[str, Mapping[str, RRset | None]]:
        """The file stands for every name server, once it was told.

        Raises:
            WriteError: it still cannot be told of what an earlier run has written.

        """
        if self.reload and self.untold:
            self._tell()
        found = rrsets(self._load())
        return {self.label: {name: found.get(name) for name in names}}

    def write(self, changes: Sequence[Change], /) -> None:
        """All changes in one replacement of each file, under one new serial; then the reload command."""
        path = Path(os.path.realpath(self.path))
        with file_lock.locked([path]):
            before = self._load_to_write()
            wanted = _wanted(changes, rrsets(before), path)
            if not wanted:
                return
            disk.refuse_journal(path)
            allow(before, wanted, path)
            self._replace(before, wanted)
        self._tell()

    def _load(self) -> ZoneSource:
        return load(self.path, self.origin, disk.read, self.includes)

    def _load_to_write(self) -> ZoneSource:
        try:
            return self._load()
        except ObserveError as error:
            raise WriteError(f"nothing was written: {error}") from error

    def _replace(self, before: ZoneSource, wanted: Mapping[Key, RRset | None]) -> None:
        serial = raised(int(before.soa.rdata.split(" ")[2]), self.clock.now().astimezone(UTC))

        def again(texts: Sequence[str]) -> ZoneSource:
            contents = {file.path: encoded(text) for file, text in zip(before.files, texts, strict=True)}
            try:
                return load(self.path, self.origin, contents.__getitem__, self.includes)
            except ObserveError as error:
                raise WriteError(f"the edited zone could not be read, so nothing was written: {error}") from error

        expected = _expected(before, wanted, serial)
        texts, after = self._restored(before, expected, serial, again) or settled(edited(before, wanted, serial), again)
        prove(after, expected)
        prove_ttls(before, after, wanted.keys())
        self.kept.keep(before, after)
        order = sorted(range(len(texts)), key=lambda number: (number == before.soa.file, -number))
        changed = [number for number in order if texts[number] != before.files[number].text]
        if self.reload:
            self.untold.note()
        disk.write(
            {
                before.files[number].path: (encoded(before.files[number].text), encoded(texts[number]))
                for number in changed
            }
        )

    def _restored(
        self, before: ZoneSource, expected: set[Fact], serial: int, again: Callable[[Sequence[str]], ZoneSource]
    ) -> tuple[Sequence[str], ZoneSource] | None:
        """The text that said the same before this move changed it, if it is kept and was not tampered with."""
        earlier = self.kept.earlier(before, expected)
        if earlier is None:
            return None
        try:
            texts, after = settled(edited(again(earlier), {}, serial), again)
        except WriteError:
            return None
        return (texts, after) if facts(after.records) == expected else None

    def _tell(self) -> None:
        """Run the reload command.

        Raises:
            WriteError: it failed; the file stands nevertheless.

        """
        if not self.reload:
            return
        try:
            subprocess.run(  # noqa: S603 - a list from the spec, without a shell
                self.reload,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=_PATIENCE,
                start_new_session=True,  # Ctrl-C at the terminal is ours: it lets the write that is under way finish
            )
        except subprocess.CalledProcessError as error:
            said = decoded(error.stderr or error.stdout).strip()
            why = f"status {error.returncode}" + (f": {said}" if said else "")
        except subprocess.TimeoutExpired:
            why = f"no end after {_PATIENCE} seconds"
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        else:
            self.untold.told()
            return
        raise WriteError(
            f"{self.path} is written, but the name server was not told and still serves the old zone: "
            f"`{' '.join(self.reload)}` gave {why}. Mend that and apply again: the command is run again first"
        )


def rrsets(zone: ZoneSource) -> dict[str, RRset]:
    """By name, in the file's order."""
    rdata: dict[str, set[str]] = defaultdict(set)
    for record in zone.records:
        if record.rdtype != "SOA":
            rdata[f"{record.owner} {record.rdtype}"].add(record.rdata)
    ttls = served_ttls(zone)
    return {name: RRset(name=name, ttl=ttls[_key(name)], rdata=frozenset(found)) for name, found in rdata.items()}


def _wanted(changes: Sequence[Change], standing: Mapping[str, RRset], path: Path) -> dict[Key, RRset | None]:
    """What each RRset becomes, left out where nothing changes; each ``before`` must be what the ones before it left."""
    now: dict[str, RRset | None] = {}
    for change in changes:
        name = change.address.name
        found = now.get(name, standing.get(name))
        if found != change.before:
            raise StalePlan(
                f"{change.address} is no longer what the plan was made for: expected {_said(change.before)}, "
                f"{path} has {_said(found)}. Nothing was written; plan again"
            )
        assert change.after is None or isinstance(change.after, RRset)
        now[name] = change.after
    return {_key(name): after for name, after in now.items() if after != standing.get(name)}


def _key(name: str) -> Key:
    owner, _, rdtype = name.rpartition(" ")
    return owner, rdtype


def _said(rrset: object) -> str:
    if not isinstance(rrset, RRset):
        return "nothing"
    return f"TTL {rrset.ttl} {{{', '.join(sorted(rrset.rdata))}}}"


def _expected(zone: ZoneSource, wanted: Mapping[Key, RRset | None], serial: int) -> set[Fact]:
    """All that the zone should say afterwards."""
    soa = zone.soa
    words = soa.rdata.split(" ")
    kept = facts(record for record in zone.records if record.key not in wanted and record is not soa)
    new = {(*key, after.ttl, rdata) for key, after in wanted.items() if after for rdata in after.rdata}
    return kept | new | {(soa.owner, "SOA", soa.ttl, " ".join([*words[:2], str(serial), *words[3:]]))}


def _open(options: Options, context: Context) -> Opened:
    path, kept = context.base / options.file, context.base / options.kept
    zone = ZoneFile(
        path=path,
        label=str(options.file),
        origin=owner_name(options.origin or context.domain),
        clock=context.clock,
        kept=Kept(kept),
        untold=Untold.of(path, kept),
        includes=context.base / options.includes if options.includes else None,
        reload=options.reload,
    )
    return Opened(name=options.name or str(options.file), stores={"rrset": zone}, name_servers=zone)


BACKEND = Backend(
    title="BIND zone file",
    options=Options,
    open=_open,
    source="RFC 1035, section 5; BIND 9.18, named-checkzone",
)
