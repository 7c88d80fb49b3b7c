"""Messages delivered into a Maildir, as its own programs would do it: below ``tmp``, flushed, then moved to its place.

It can add, and rename where a flag changes. ``dovecot-uidlist`` is left to Dovecot, which gives new messages their UIDs
when it sees them. ``dovecot-keywords`` is added to under the lock that Dovecot takes for it (``dovecot-uidlist.lock``;
its time then grows, by which running processes notice), ``subscriptions`` likewise under its own.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from reconciler.mailcopy.files import programs
from reconciler.mailcopy.files.files import Inside, MaildirFiles, Seen
from reconciler.mailcopy.files.machine import MachineFailed
from reconciler.mailcopy.model.maildir_layout import with_subscribed
from reconciler.mailcopy.model.maildir_name import FileName, keywords_in, with_keywords

_ATTEMPTS: Final = 5
_RENAMES: Final = 200  # renamed by one program
_FOLDERS: Final = 100  # made by one: their names are its arguments, and a command line over SSH holds 128 kB


class Letter(NamedTuple):
    """A message to be delivered; ``part``: cur or new."""

    part: str
    name: FileName
    arrived: int
    text: bytes

    @property
    def file(self) -> str:
        """Its name in that part."""
        return str(self.name) if self.part == "cur" else self.name.base


class Delivery:
    """One Maildir that is added to."""

    def __init__(self, files: MaildirFiles) -> None:
        """Nothing is written yet."""
        self._files = files
        self._root = str(files.root)

    def make(self, directories: Iterable[str]) -> None:
        """The folders of these directories (empty: INBOX) and the Maildir itself, where they are missing.

        Raises:
            MachineFailed: one cannot be made.

        """
        mark = "" if self._files.layout.nested else "maildirfolder"
        ordered = list(directories)
        for start in range(0, len(ordered), _FOLDERS):
            self._run("the folders", programs.MAKE, self._root, mark, *ordered[start : start + _FOLDERS])

    def deliver(self, directory: str, letters: Sequence[Letter]) -> None:
        """All of them, durably; one whose name stands there already is left as it is.

        Raises:
            MachineFailed: some may have been delivered, whole; delivering again is no harm.

        """
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for letter in letters:
                entry = tarfile.TarInfo(f"{letter.part}/{letter.file}")
                entry.size, entry.mtime, entry.mode = len(letter.text), letter.arrived, 0o600
                tar.addfile(entry, io.BytesIO(letter.text))
        folder = self._folder(directory)
        self._run("messages", programs.DELIVER, folder, str(len(letters)), stdin=archive.getvalue())

    def deliver_pieces(self, directory: str, letter: Letter, pieces: Iterable[bytes], size: int) -> bool:
        """A big one, whose text comes in pieces; False, and nothing is delivered, where they end early.

        Raises:
            MachineFailed: as above.

        """
        folder = self._folder(directory)
        path = self._run("a big message", programs.BEGIN, folder).decode("utf-8", "surrogateescape").removesuffix("\n")
        offset = 0
        for piece in pieces:
            self._run("a big message", programs.ADD, path, str(offset), str(len(piece)), stdin=piece)
            offset += len(piece)
        if offset != size:
            return False
        self._run("a big message", programs.FINISH, path, folder, letter.part, letter.file, str(letter.arrived))
        return True

    def count(self, octets: int, messages: int) -> None:
        """Tell the quota file of Maildir++, where there is one."""
        self._run("the quota", programs.COUNT, self._root, str(octets), str(messages))

    def rename(self, directory: str, inside: Inside, wanted: Mapping[int, FileName]) -> None:
        """Give messages other flags; one that was renamed by another program meanwhile stays as it is now.

        Raises:
            MachineFailed: it could not be done.

        """
        pairs = [
            (f"{place.part}/{place.file}", f"cur/{name}")
            for number, name in wanted.items()
            if (place := inside.places[number]).name != name
        ]
        for start in range(0, len(pairs), _RENAMES):
            stdin = b"".join(
                f"./{path}\0".encode("utf-8", "surrogateescape")
                for pair in pairs[start : start + _RENAMES]
                for path in pair
            )
            self._run("flags", programs.RENAME, self._folder(directory), stdin=stdin)

    def keywords(self, directory: str, inside: Inside, wanted: Iterable[str]) -> Mapping[str, str]:
        """Letter to keyword of the folder, with those that are wanted and for which there is a letter left.

        Raises:
            MachineFailed: the file cannot be changed.

        """
        wanted = list(wanted)
        inside.keywords_file = self._swap(
            directory,
            "dovecot-keywords",
            "dovecot-uidlist.lock",
            inside.keywords_file,
            lambda f: with_keywords(f, wanted),
        )
        inside.keywords = keywords_in(inside.keywords_file)
        return inside.keywords

    def subscribe(self, seen: Seen, raws: list[str]) -> None:
        """Add to the subscriptions.

        Raises:
            MachineFailed: the file cannot be changed.

        """
        separator = self._files.layout.namespace.separator
        seen.subscriptions = self._swap(
            "", "subscriptions", "subscriptions.lock", seen.subscriptions, lambda f: with_subscribed(f, raws, separator)
        )

    def _swap(
        self, directory: str, name: str, lock: str, standing: bytes | None, change: Callable[[bytes], bytes]
    ) -> bytes:
        """Change a small file that Dovecot writes too; if it is another one than we know, it is read again."""
        folder = self._folder(directory)
        path = self._files.root / directory / name
        for _ in range(_ATTEMPTS):
            content = change(standing or b"")
            if content == (standing or b""):
                return content
            digest = hashlib.sha256(standing).hexdigest() if standing is not None else ""
            if not self._run(name, programs.SWAP, folder, name, lock, digest, stdin=content):
                return content
            standing = self._files.machine.read([path]).get(path)
        raise MachineFailed(f"{path} keeps changing while it is added to; copy again")

    def _folder(self, directory: str) -> str:
        return str(self._files.root / directory)

    def _run(self, what: str, program: Sequence[str], *arguments: str, stdin: bytes = b"") -> bytes:
        return self._files.machine.run(f"writing {what} to {self._root}", program, *arguments, stdin=stdin)
