"""A Maildir as it stands: its folders and messages, found by one listing, and their text.

Nothing here writes. A message is known by the base of its name, whichever of ``cur`` and ``new`` it lies in and
whatever its flags are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from reconciler.mailcopy.files import programs
from reconciler.mailcopy.files.listing import Listed, Listing
from reconciler.mailcopy.files.machine import Machine
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.folder import Folder, Namespace
from reconciler.mailcopy.model.maildir_layout import Layout, subscribed
from reconciler.mailcopy.model.maildir_name import FileName, keywords_in, number_of
from reconciler.mailcopy.model.message import Row, header_of

_DEEP: Final = "64"  # folders inside one another; Maildir++ has ROOT/.FOLDER/cur/MESSAGE and no more
_FLAT: Final = "3"
_LOOKS: Final = 2  # again
_HEAD: Final = 16_384  # octets that nearly every header fits in
_LONG_HEAD: Final = 1_048_576
_AT_ONCE: Final = 500

PIECE: Final = 8 * 1024 * 1024
"""Octets that are read in one go: a bigger message comes in pieces."""


class Place(NamedTuple):
    """Where a message lies in its folder: ``cur`` or ``new``, and its file's name."""

    part: str
    file: str

    @property
    def name(self) -> FileName:
        """What the name says."""
        return FileName.parse(self.file)


class FileRow(Row):
    """A Row whose date is the time of a file or of a line ``From``: seconds since 1970, in digits."""

    __slots__ = ()

    @property
    def arrived(self) -> int:
        """The seconds; a message cannot have come before 1970."""
        return max(0, int(self.date))


class Original(NamedTuple):
    """What the copy of a message is named after, its seconds for the order, and the letters of its flags."""

    what: str
    begun: int
    letters: str
    new: bool


@dataclass(slots=True)
class Inside:
    """The messages of one folder, by number, and what its keywords' letters mean.

    ``mark``: a size and a time that stay the same while nothing happens, where reading the messages can be saved so.
    """

    folder: Folder
    directory: str = ""
    rows: dict[int, Row] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    keywords: Mapping[str, str] = field(default_factory=dict)
    keywords_file: bytes | None = None
    mark: tuple[int, int] = (0, 0)

    def path(self, number: int) -> str:
        """Where a message lies below the Maildir."""
        place = self.places[number]
        return _join(self.directory, f"{place.part}/{place.file}")


@dataclass(slots=True)
class Seen:
    """A mailbox; ``inside`` by the folder's raw name. ``exists`` False: there is nothing at that path."""

    namespace: Namespace
    exists: bool = True
    inside: dict[bytes, Inside] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    doubled: list[Refusal] = field(default_factory=list)
    subscriptions: bytes | None = None
    has_quota_file: bool = False

    @property
    def folders(self) -> tuple[Folder, ...]:
        """All of them."""
        return tuple(inside.folder for inside in self.inside.values())


class MaildirFiles:
    """One Maildir on one machine, as a source or as a target."""

    keeps_flags = True

    def __init__(self, machine: Machine, root: PurePosixPath, layout: Layout) -> None:
        """Nothing is read yet."""
        self.machine, self.root, self.layout = machine, root, layout

    def __str__(self) -> str:
        """For people."""
        return f"{self.root} on {self.machine}"

    def look(self) -> Seen:
        """All of it, as it stands now; once more where a message was met twice, for it was renamed meanwhile.

        Raises:
            MachineFailed: it cannot be read.

        """
        seen = self._look()
        for _ in range(_LOOKS):
            if not seen.doubled:
                break
            seen = self._look()
        seen.refusals += seen.doubled
        return seen

    def _look(self) -> Seen:
        depth = _DEEP if self.layout.nested else _FLAT
        listed = self.machine.run(f"the listing of {self.root}", programs.LIST, str(self.root), depth)
        if not listed:
            return Seen(self.layout.namespace, exists=False)
        found = Listing.of(listed)
        wanted = [directory for directory in sorted(found.folders) if self.layout.raw(directory) is not None]
        control = [name for d in wanted if (name := _join(d, "dovecot-keywords")) in found.files]
        control += ["subscriptions"] if "subscriptions" in found.files else []
        texts = self.machine.read([self.root / name for name in control])
        seen = Seen(self.layout.namespace, has_quota_file="maildirsize" in found.files)
        seen.subscriptions = texts.get(self.root / "subscriptions")
        subscriptions = subscribed(seen.subscriptions or b"", self.layout.namespace.separator)
        for directory in wanted:
            file = texts.get(self.root / _join(directory, "dovecot-keywords"))
            self._note_folder(seen, directory, found.messages.get(directory, []), subscriptions, file)
        for directory in sorted(found.links):
            words = "it is a symbolic link, so it may be somebody else's folder; copy it over IMAP, or by a rule"
            if self.layout.raw(directory) is not None:
                seen.refusals.append(Refusal(directory, 0, words))
        for path in sorted(found.strange):
            seen.refusals.append(Refusal(path, 0, "it is a symbolic link and no message of its own"))
        return seen

    def _note_folder(
        self,
        seen: Seen,
        directory: str,
        messages: Iterable[Listed],
        subscriptions: Collection[str],
        file: bytes | None,
    ) -> None:
        raw = self.layout.raw(directory) or ""
        octets = raw.encode("utf-8", "surrogateescape")
        if directory and raw.upper() == "INBOX":
            seen.refusals.append(Refusal(directory, 0, "a folder of this name cannot be told from INBOX; rename it"))
            return
        try:
            folder = Folder.of(seen.namespace, octets, subscribed=raw in subscriptions)
        except ValueError as error:
            seen.refusals.append(Refusal(octets.decode("ascii", "backslashreplace"), 0, str(error)))
            return
        keywords = keywords_in(file or b"")
        inside = seen.inside[octets] = Inside(folder, directory, keywords=keywords, keywords_file=file)
        flags: dict[str, str] = {}
        doubled: dict[int, str] = {}
        for part, file_name, size, seconds in messages:
            name = FileName.parse(file_name)
            number = number_of(name.base)
            if name.letters not in flags:
                flags[name.letters] = name.flags(keywords)
            if number in inside.places:
                doubled[number] = f"two files have one name, {inside.places[number].file} and {file_name}"
            inside.rows[number] = FileRow(number, flags[name.letters], seconds, size)
            inside.places[number] = Place(part, file_name)
        for number, words in doubled.items():  # neither is copied: nobody could tell later which of them was
            del inside.rows[number], inside.places[number]
            seen.doubled.append(Refusal(folder.title, number, f"{words}: rename one of them"))

    def heads(self, inside: Inside, numbers: Collection[int]) -> dict[int, bytes]:
        """The headers of those that are there."""
        found = self._heads(inside, numbers, _HEAD)
        long = [n for n, head in found.items() if len(head) == _HEAD and header_of(head) == head]
        return {n: header_of(head) for n, head in {**found, **self._heads(inside, long, _LONG_HEAD)}.items()}

    def _heads(self, inside: Inside, numbers: Collection[int], octets: int) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        ordered = list(numbers)
        step = max(1, _AT_ONCE * _HEAD // octets)
        for start in range(0, len(ordered), step):
            some = {n: inside.path(n).encode("utf-8", "surrogateescape") for n in ordered[start : start + step]}
            stdin = b"".join(b"./" + path + b"\0" for path in some.values())
            told = self.machine.run(
                f"the headers of {self.root}", programs.HEADS, str(self.root), str(octets), stdin=stdin
            )
            position = 0
            for number, path in some.items():
                position += 1 if told.startswith(b"\n==> ", position) else 0
                mark = b"==> ./" + path + b" <==\n"
                if told.startswith(mark, position):
                    begin = position + len(mark)
                    position = begin + min(octets, inside.rows[number].size)
                    found[number] = told[begin:position]
        return found

    def contents(self, inside: Inside, numbers: Collection[int]) -> dict[int, bytes]:
        """The whole text of those that are still where, and as long as, they were listed."""
        paths = {self.root / inside.path(number): number for number in numbers}
        found = {paths[path]: text for path, text in self.machine.read(list(paths)).items()}  # type: ignore[index]
        return {number: text for number, text in found.items() if len(text) == inside.rows[number].size}

    def pieces(self, inside: Inside, number: int) -> Iterator[bytes]:
        """One message in pieces of PIECE octets; it ends early where the message is gone."""
        path, offset = str(self.root / inside.path(number)), 0
        while offset < inside.rows[number].size:
            piece = self.machine.run(f"a piece of {path}", programs.PIECE, path, str(offset), str(PIECE))
            if not piece:
                return
            yield piece
            offset += len(piece)

    def fill(self, inside: Inside) -> None:
        """The listing has shown all messages."""

    def original(self, inside: Inside, number: int) -> Original:
        """What the copy's name is made of."""
        place = inside.places[number]
        name = place.name
        new = place.part == "new" and not name.letters
        return Original(name.base, name.begun or inside.rows[number].arrived or 0, name.letters, new)


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name
