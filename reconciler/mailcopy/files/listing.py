"""What stands in a folder of the file system, sorted out: the output of the program LIST."""

import os
import re
import sys
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_LISTED: Final = re.compile(rb"(.)(.) (\d+) (-?\d+)(?:\.\d+)? ([^\0]*)\0")


class Listed(NamedTuple):
    """The file of a message: ``cur`` or ``new``, its name, octets, and the digits of its time."""

    part: str
    name: str
    size: int
    seconds: str


@dataclass(slots=True)
class Listing:
    """What LIST printed, sorted out.

    ``folders``: directories with ``cur``. ``files``: all but messages, with size and time. ``links``: to directories.
    ``messages``: by the directory of their folder; ``strange``: what stands among them and is no file.
    """

    folders: set[str] = field(default_factory=set)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)
    messages: dict[str, list[Listed]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: bytes) -> "Listing":
        """From the output of the program."""
        found = cls()
        for match in _LISTED.finditer(listed):
            kind, target, size, seconds, octets = match.groups()
            path = os.fsdecode(octets)
            above, _, name = path.rpartition("/")
            if kind == b"d" and name == "cur":
                found.folders.add(above)
            elif kind == b"l" and target == b"d":
                found.links.add(path)
            elif kind in b"fl" and target == b"f":
                directory, _, part = above.rpartition("/")
                if part in {"cur", "new"} and not name.startswith("."):
                    if kind == b"l":
                        found.strange.add(path)
                        continue
                    found.messages.setdefault(directory, []).append(
                        Listed(sys.intern(part), name, int(size), seconds.decode())
                    )
                else:
                    found.files[path] = int(size), int(seconds)
        return found
