"""What the programs on the far side say: archives, links, stats and complaints, each turned into what it means."""

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from reconciler.ports import Stat

ABSENT: Final = frozenset({"No such file or directory", "Not a directory"})
_TODO: Final = {
    "Permission denied": "log in as a user who may, or set sudo: true in the options of ssh",
    "Operation not permitted": "log in as a user who may, or set sudo: true in the options of ssh",
    "Is a directory": "name a file, not a directory",
    "Not a directory": "mend the path: a part of it is a file and no directory",
    "Too many levels of symbolic links": "mend the symbolic links: they lead in a circle",
    "No space left on device": "make room on its file system",
    "Disk quota exceeded": "make room in the quota of its owner",
    "File too large": "raise the limit on the size of files there",
    "Read-only file system": "its file system is mounted read-only: remount it",
    "No such file or directory": "make its directory first",
}
_COMPLAINT: Final = re.compile(
    r"(?:tar: (?P<archived>.*): Cannot (?:stat|open|read)|stat: cannot stat\w* (?P<asked>.*)): (?P<why>[^:]*)\Z"
)
_IN_MOTION: Final = re.compile(r"tar: .*: (?:file changed as we read it|File (?:shrank|removed) .*)\Z")
_SUMMARY: Final = "tar: Exiting with failure status"
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS: Final = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def todo(reason: str) -> str:
    """What a person can do about a complaint of the operating system."""
    return _TODO.get(reason, "mend that")


def reason(err: str) -> str:
    """The cause in a program's complaint: what stands after the last colon of its last line."""
    lines = [line for line in err.strip().splitlines() if line.strip()]
    return lines[-1].rpartition(": ")[2].strip() if lines else "it said nothing"


def lower(why: str) -> str:
    """A cause within a sentence."""
    return why[:1].lower() + why[1:]


def sudo_refused(err: str, where: str) -> str | None:
    """What is said of that where sudo does not run a program."""
    said = next((line for line in err.splitlines() if line.startswith("sudo: ")), None)
    return said and (
        f"{where}: {said}. Nothing was done. Let the user that logs in run programs as root without a password (a file "
        "in /etc/sudoers.d with: USER ALL=(root) NOPASSWD: ALL), or log in as root"
    )


def complaints(err: str) -> Iterator[tuple[str, str]]:
    """(what, why) for everything that stopped a reading; that a file is absent is no complaint."""
    for line in err.splitlines():
        if not line.strip() or line.startswith(_SUMMARY) or _IN_MOTION.match(line):
            continue
        found = _COMPLAINT.match(line)
        if found is None:
            yield "", line
        elif found["why"] not in ABSENT:
            yield found["archived"] or found["asked"].strip("'\""), found["why"]


def in_motion(err: str) -> bool:
    """Whether a file changed while it was being read, so that what came may be half old and half new."""
    return any(_IN_MOTION.match(line) for line in err.splitlines())


def as_stat(out: bytes) -> Stat:
    """The answer to STAT; the signature is made as for a local file."""
    uid, gid, mode, device, inode, size, modified, changed = out.decode().split()
    signature = (int(device), int(inode), int(size), _nanoseconds(modified), _nanoseconds(changed))
    return Stat(int(uid), int(gid), int(mode, 8), signature)


def contents(out: bytes) -> dict[PurePath, bytes | None]:
    """The files of an archive; None for what is no regular file.

    Raises:
        tarfile.TarError: it is damaged.

    """
    found: dict[PurePath, bytes | None] = {}
    if not out:
        return found
    with tarfile.open(fileobj=io.BytesIO(out), mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            found[PurePath(member.name)] = file.read() if file else None
    return found


def links(out: bytes) -> dict[PurePath, str]:
    """The targets of those that are symbolic links."""
    fields = out.split(b"\0")
    found = {}
    for name, quoted in zip(fields[::2], fields[1::2], strict=False):
        arrow = quoted.find(b'" -> "')
        while arrow > 0 and _escaped(quoted, arrow):
            arrow = quoted.find(b'" -> "', arrow + 1)
        if arrow > 0:
            target = _ESCAPE.sub(_unescaped, quoted[arrow + 6 : -1])
            found[PurePath(name.decode("utf-8", "surrogateescape"))] = target.decode("utf-8", "surrogateescape")
    return found


def _escaped(text: bytes, position: int) -> bool:
    """Whether the quote at a position is part of a name: an odd number of backslashes stands before it."""
    before = text[:position]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)]) if len(code) > 1 else _LETTERS.get(code, code)


def _nanoseconds(seconds: str) -> int:
    whole, _, part = seconds.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))
