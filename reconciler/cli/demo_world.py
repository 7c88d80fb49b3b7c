"""The demo's world: the files of two servers and a zone, mail in Maildirs, and what became of each file in the end."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from importlib import resources
from pathlib import Path
from typing import Final

from reconciler.errors import ReconcilerError

_MARK: Final = ".made-by-reconciler-demo"
_OURS: Final = (_MARK, ".reconciler", "migration.journal")  # what the tool keeps for itself, beside the spec
_SERIAL: Final = re.compile(rb"(\d+)(\s*; serial)")
_PEOPLE: Final = {"old": ("example.org/ann", "example.org/bob", "example.org/cleo"), "new": ("other.example/carla",)}
_MESSAGES_EACH: Final = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Files by what became of them. ``serial``: the SOA serial before and after, where nothing else differs."""

    same: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    serial: tuple[int, int] | None

    @property
    def restored(self) -> bool:
        """Whether all is as it was, but for the serial."""
        return not (self.changed or self.missing or self.added)


def write_world(folder: Path, now: datetime) -> None:
    """Write everything anew; a folder that the demo did not make is left alone.

    Raises:
        ReconcilerError: the folder holds something else.

    """
    if folder.exists():
        if not folder.is_dir() or (any(folder.iterdir()) and not (folder / _MARK).exists()):
            msg = f"{folder} is there already and was not made by the demo: name a folder that does not exist"
            raise ReconcilerError(msg)
        shutil.rmtree(folder)
    with resources.as_file(resources.files("reconciler.cli") / "demo_files") as world:
        shutil.copytree(world, folder)
    (folder / _MARK).write_text("The demo writes this folder anew each time.\n")
    bob = folder / "new" / "vmail" / "example.org" / "bob"
    (bob / ".dovecot.sieve").symlink_to("sieve/roundcube.sieve")
    for server, people in _PEOPLE.items():
        for person in people:
            _deliver(folder / server / "vmail" / person / "Maildir", person, now)


def _deliver(maildir: Path, person: str, now: datetime) -> None:
    domain, name = person.split("/")
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    for number in range(1, _MESSAGES_EACH + 1):
        at = now - timedelta(days=number)
        message = EmailMessage()
        message["From"] = f"Somebody <somebody{number}@elsewhere.example>"
        message["To"] = f"{name}@{domain}"
        message["Subject"] = f"Message {number} for {name}"
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{number}.{name}@elsewhere.example>"
        message.set_content("It must still be here when everything is over.\n")
        seen = number > 1
        file = f"{int(at.timestamp())}.M{number}P1.mail.example" + (":2,S" if seen else "")
        (maildir / ("cur" if seen else "new") / file).write_bytes(message.as_bytes())


def files(folder: Path) -> dict[str, bytes]:
    """Relative path to content, of all that is not the tool's own; a link's content is where it points."""
    return {
        str(path.relative_to(folder)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if (path.is_file() or path.is_symlink()) and not path.relative_to(folder).parts[0].startswith(_OURS)
    }


def compare(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Comparison:
    """What became of each file: byte for byte, but for the SOA serial.

    A serial may only rise: secondaries take no notice of a zone whose serial went back (RFC 1982; RFC 1034, section
    4.3.5), so a rollback that restored it would not reach them.
    """
    differing = [name for name in before if name in after and before[name] != after[name]]
    changed = [name for name in differing if _without_serial(before[name]) != _without_serial(after[name])]
    serials = [
        (int(old[1]), int(new[1]))
        for name in differing
        if name not in changed and (old := _SERIAL.search(before[name])) and (new := _SERIAL.search(after[name]))
    ]
    return Comparison(
        same=sum(after.get(name) == content for name, content in before.items()),
        changed=tuple(changed),
        missing=tuple(sorted(before.keys() - after.keys())),
        added=tuple(sorted(after.keys() - before.keys())),
        serial=serials[0] if serials else None,
    )


def _without_serial(content: bytes) -> bytes:
    return _SERIAL.sub(rb"\2", content)
