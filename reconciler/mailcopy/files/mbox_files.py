"""Mailboxes in mbox files, as a source and never more: they are read, not locked, and never written.

What is read is proven to have stood still: the size and time of the file are the same before and after, and the last
write is some seconds ago. A message is known by a digest of what it says and of its line ``From``, and among equal ones
by its turn; so it is the same one after other messages were removed, or its flags written anew.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from reconciler.mailcopy.files import programs
from reconciler.mailcopy.files.files import PIECE, FileRow, Inside, Original, Seen
from reconciler.mailcopy.files.listing import Listing
from reconciler.mailcopy.files.machine import Machine, MachineFailed
from reconciler.mailcopy.model import mbox
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.folder import Folder, Namespace
from reconciler.mailcopy.model.maildir_layout import subscribed
from reconciler.mailcopy.model.maildir_name import number_of
from reconciler.mailcopy.model.message import header_of

_DEEP: Final = "64"
_AT_REST: Final = 3  # seconds since the last write: programs write a message in one go
_LOOKS: Final = 10
_HERE: Final = Namespace("", "/")


class _Span(NamedTuple):
    """Where a message was found, and what it must still be when it is read again."""

    offset: int
    length: int
    digest: str
    new: bool


@dataclass(frozen=True, slots=True)
class _File:
    path: PurePosixPath
    size: int
    seconds: int


class MboxFiles:
    """The mbox files of one mailbox: ``root`` is INBOX or a folder of files, ``inbox`` INBOX if it lies elsewhere."""

    keeps_flags = False

    def __init__(
        self, machine: Machine, root: PurePosixPath, inbox: PurePosixPath | None, sleep: Callable[[float], None]
    ) -> None:
        """Nothing is read yet."""
        self.machine, self.root = machine, root
        self._inbox, self._sleep = inbox, sleep
        self._files: dict[bytes, _File] = {}
        self._spans: dict[bytes, dict[int, _Span]] = {}

    def __str__(self) -> str:
        """For people."""
        return f"{self.root} on {self.machine}"

    def look(self) -> Seen:
        """Which folders there are; their messages are not read yet.

        Raises:
            MachineFailed: it cannot be read.

        """
        seen = Seen(_HERE)
        self._files = {}
        one = self._rest(self.root)
        listed = b"" if one else self.machine.run(f"the listing of {self.root}", programs.LIST, str(self.root), _DEEP)
        if one:
            self._note(seen, b"INBOX", _File(self.root, *one[:2]), subscribed_=False)
        found = Listing.of(listed)
        subscriptions: set[str] = set()
        if ".subscriptions" in found.files:
            file = self.root / ".subscriptions"
            subscriptions = subscribed(self.machine.read([file]).get(file, b""), "/")
        for path, (size, seconds) in sorted(self._mboxes(found).items()):
            raw = path.encode("utf-8", "surrogateescape")
            self._note(seen, raw, _File(self.root / path, size, seconds), subscribed_=path in subscriptions)
        if self._inbox and (own := self._rest(self._inbox)):
            seen.inside.pop(b"INBOX", None)
            self._note(seen, b"INBOX", _File(self._inbox, *own[:2]), subscribed_=False)
        seen.exists = bool(seen.inside)
        return seen

    def _mboxes(self, found: Listing) -> dict[str, tuple[int, int]]:
        """Files that begin as an mbox does, or are empty; hidden ones are other programs'."""
        plain = {path: file for path, file in found.files.items() if not any(p[:1] == "." for p in path.split("/"))}
        names = b"".join(
            b"./" + path.encode("utf-8", "surrogateescape") + b"\0" for path, (size, _) in plain.items() if size
        )
        if not names:
            return {path: file for path, file in plain.items() if not file[0]}
        told = self.machine.run(f"the beginnings of {self.root}", programs.HEADS, str(self.root), "5", stdin=names)
        marks = {path: b"==> ./" + path.encode("utf-8", "surrogateescape") + b" <==\nFrom " for path in plain}
        return {path: file for path, file in plain.items() if not file[0] or marks[path] in told}

    def _note(self, seen: Seen, raw: bytes, file: _File, *, subscribed_: bool) -> None:
        raw = b"INBOX" if raw.upper() == b"INBOX" else raw
        try:
            folder = Folder.of(_HERE, raw, subscribed=subscribed_)
        except ValueError as error:
            seen.refusals.append(Refusal(raw.decode("ascii", "backslashreplace"), 0, str(error)))
            return
        seen.inside[raw] = Inside(folder, mark=(file.size, file.seconds))
        self._files[raw] = file

    def fill(self, inside: Inside) -> None:
        """Read the folder's messages.

        Raises:
            MachineFailed: it cannot be read, is no mbox, or does not stand still.

        """
        raw = inside.folder.raw
        for _ in range(_LOOKS):
            before = self._rest(self._files[raw].path)
            if before is None:
                inside.rows, self._spans[raw] = {}, {}
                return
            size, seconds, age = before
            if age >= _AT_REST:
                self._scan(inside, size)
                if self._rest(self._files[raw].path, aged=False) == (size, seconds, 0):
                    inside.mark = (size, seconds)
                    self._files[raw] = replace(self._files[raw], size=size, seconds=seconds)
                    return
            self._sleep(1)
        raise MachineFailed(f"{self._files[raw].path} on {self.machine} keeps being written; it is read when it rests")

    def _scan(self, inside: Inside, size: int) -> None:
        path = self._files[inside.folder.raw].path
        inside.rows = {}
        spans = self._spans[inside.folder.raw] = {}
        turns: Counter[str] = Counter()
        try:
            for raw in mbox.split(self._octets(path, 0, size)):
                letter = mbox.letter(raw)
                if letter.internal and raw.offset == 0:
                    continue
                digest = _digest(raw, letter)
                turns[digest] += 1
                number = number_of(f"{digest}.{turns[digest]}")
                inside.rows[number] = FileRow(number, letter.flags, str(letter.arrived or 0), len(letter.text))
                spans[number] = _Span(raw.offset, raw.length, f"{digest}.{turns[digest]}", not letter.old)
        except ValueError as error:
            raise MachineFailed(f"{path} on {self.machine}: {error}") from error

    def heads(self, inside: Inside, numbers: Collection[int]) -> dict[int, bytes]:
        """The headers of those that are there."""
        return {number: header_of(text) for number, text in self.contents(inside, numbers).items()}

    def contents(self, inside: Inside, numbers: Collection[int]) -> dict[int, bytes]:
        """The text of those that still are what they were."""
        raw, found = inside.folder.raw, {}
        spans = sorted((self._spans[raw][number].offset, number) for number in numbers)
        for group in _runs([(self._spans[raw][number], number) for _, number in spans]):
            first = group[0][0].offset
            length = group[-1][0].offset + group[-1][0].length - first
            octets = b"".join(self._octets(self._files[raw].path, first, length))
            for span, number in group:
                text = self._again(octets[span.offset - first :][: span.length], span)
                if text is not None:
                    found[number] = text
        return found

    @staticmethod
    def _again(octets: bytes, span: _Span) -> bytes | None:
        line, feed, rest = octets.partition(b"\n")
        raw = mbox.Raw(span.offset, line + feed, rest)
        letter = mbox.letter(raw)
        return letter.text if _digest(raw, letter) == span.digest.partition(".")[0] else None

    def pieces(self, inside: Inside, number: int) -> Iterator[bytes]:
        """One message; in one piece, for it is checked as a whole."""
        yield from self.contents(inside, [number]).values()

    def original(self, inside: Inside, number: int) -> Original:
        """What the copy's name is made of."""
        row, span = inside.rows[number], self._spans[inside.folder.raw][number]
        return Original(span.digest, row.arrived or 0, "", new=span.new and not row.flags)

    def _octets(self, path: PurePosixPath, offset: int, length: int) -> Iterator[bytes]:
        while length > 0:
            told = self.machine.run(
                f"a piece of {path}", programs.PIECE, str(path), str(offset), str(min(length, PIECE))
            )
            if not told:
                return
            yield told
            offset, length = offset + len(told), length - len(told)

    def _rest(self, path: PurePosixPath, *, aged: bool = True) -> tuple[int, int, int] | None:
        """Size, time of the last write and its age in seconds (0 where nobody asks); None if it is no file."""
        told = self.machine.run(f"the size of {path}", programs.REST, str(path)).decode().split()
        if len(told) < 4 or told[2] != "regular":  # noqa: PLR2004 - size, seconds, "regular", "file", now
            return None
        return int(told[0]), int(told[1]), (int(told[-1]) - int(told[1]) if aged else 0)


def _digest(raw: mbox.Raw, letter: mbox.Letter) -> str:
    return hashlib.sha256(raw.line.rstrip() + b"\n" + letter.text).hexdigest()


def _runs(spans: list[tuple[_Span, int]]) -> Iterator[list[tuple[_Span, int]]]:
    """Neighbours together, so that one reading serves them, up to PIECE octets."""
    group: list[tuple[_Span, int]] = []
    for span, number in spans:
        if group:
            last, first = group[-1][0], group[0][0]
            far = span.offset - (last.offset + last.length) > 65_536  # noqa: PLR2004 - a gap that costs less than a program
            if far or span.offset + span.length - first.offset > PIECE:
                yield group
                group = []
        group.append((span, number))
    if group:
        yield group
