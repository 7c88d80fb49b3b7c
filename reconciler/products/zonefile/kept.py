"""The texts of a zone before each of our writes, so that going back gives every line as a person had written it.

A removed line cannot tell any more how its names were abbreviated, which spaces it had and what its comment said; the
zone as it stands cannot tell either. What is kept here is for that alone: without it every record is put back all the
same, in a shape like that of its neighbours.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from reconciler.errors import WriteError
from reconciler.formats.zone.edit import edited
from reconciler.formats.zone.octets import decoded
from reconciler.formats.zone.record import ZoneSource
from reconciler.products.zonefile.proof import Fact, facts
from reconciler.transports import owner_files

_ANY_SERIAL = 0
_log = logging.getLogger(__name__)


class _Version(BaseModel):
    """One state of the zone's files: what they said, and which other versions our writes connect it with.

    ``octets`` are the contents, each octet as the character of that number, so that any encoding survives JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    paths: tuple[str, ...]
    octets: tuple[str, ...]
    meaning: str
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder with one JSON file for each text that we found or wrote.

    Texts are linked where one of our writes led from the one to the other. Only along these links do we go back, so
    that what other people have edited meanwhile is never undone.
    """

    folder: Path

    def earlier(self, zone: ZoneSource, wanted: Iterable[Fact]) -> Sequence[str] | None:
        """The texts, in the order of the zone's files, that said ``wanted`` before; None if there were none."""
        meaning = _digest(_without_serial(wanted))
        paths = tuple(str(file.path) for file in zone.files)
        for version in self._linked(_text_digest(zone)):
            if (version.meaning, version.paths, len(version.octets)) == (meaning, paths, len(paths)):
                return [decoded(text.encode("latin-1", "replace")) for text in version.octets]
        return None

    def keep(self, before: ZoneSource, after: ZoneSource) -> None:
        """Remember both texts and that the one became the other; where that fails, the zone is written all the same."""
        one, other = _text_digest(before), _text_digest(after)
        try:
            owner_files.make_folder(self.folder)
            if not (self.folder / ".gitignore").exists():
                owner_files.write(self.folder / ".gitignore", b"*\n")
            self._put(one, before, other)
            self._put(other, after, one)
        except (OSError, WriteError) as error:
            _log.warning("the lines before this write are not kept, so a rollback may space them anew: %s", error)

    def _put(self, digest: str, zone: ZoneSource, neighbour: str) -> None:
        known = self._version(digest) or _Version(
            paths=tuple(str(file.path) for file in zone.files),
            octets=tuple(file.content.decode("latin-1") for file in zone.files),
            meaning=_digest(_without_serial(facts(zone.records))),
        )
        if neighbour not in known.linked:
            more = known.model_copy(update={"linked": (*known.linked, neighbour)})
            owner_files.write(self._path(digest), more.model_dump_json(indent=1).encode())

    def _linked(self, digest: str) -> Iterator[_Version]:
        """The versions that our writes connect with this one, the nearest first."""
        seen, waiting = {digest}, [digest]
        while waiting:
            version = self._version(waiting.pop(0))
            if version is not None:
                yield version
                waiting += [neighbour for neighbour in version.linked if neighbour not in seen]
                seen.update(version.linked)

    def _version(self, digest: str) -> _Version | None:
        """None too for a file that is damaged or not ours: it is only a help."""
        try:
            return _Version.model_validate_json(self._path(digest).read_bytes())
        except (OSError, ValueError):
            return None

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"


def _text_digest(zone: ZoneSource) -> str:
    """Of the texts whatever their serial, which goes on when everything else goes back."""
    return _digest([(str(f.path), t) for f, t in zip(zone.files, edited(zone, {}, _ANY_SERIAL).texts, strict=True)])


def _without_serial(all_facts: Iterable[Fact]) -> list[Fact]:
    return sorted((o, t, ttl, _zeroed(rdata) if t == "SOA" else rdata) for o, t, ttl, rdata in all_facts)


def _zeroed(soa: str) -> str:
    words = soa.split(" ")
    return " ".join([*words[:2], str(_ANY_SERIAL), *words[3:]])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:32]
