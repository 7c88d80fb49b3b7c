"""Where the folders of a Maildir lie: ``.Work.Old`` beside one another (Maildir++), or ``Work/Old`` inside one another.

Names are modified UTF-7 on the disk as on the wire. Source: Dovecot 2.3, Maildir mailbox format, LAYOUT; what it writes
into ``subscriptions`` since 2.2.33.
"""

from dataclasses import dataclass
from typing import Final

from reconciler.mailcopy.model.folder import Namespace

_PARTS: Final = frozenset({"cur", "new", "tmp"})
_SECOND: Final = b"V\t2\n\n"
_ESCAPES: Final = {"\x011": "\x01", "\x01t": "\t", "\x01r": "\r", "\x01n": "\n", "\x010": "\0"}


@dataclass(frozen=True, slots=True)
class Layout:
    """``nested``: as folders of the file system (Dovecot's LAYOUT=fs)."""

    nested: bool = False

    @property
    def namespace(self) -> Namespace:
        """Its separator."""
        return Namespace("", "/" if self.nested else ".")

    def directory(self, raw: str) -> str:
        """The path of a folder below the Maildir, empty for INBOX.

        Raises:
            ValueError: no folder can be called so.

        """
        if raw == "INBOX":
            return ""
        names = raw.split(self.namespace.separator)
        wrong = not all(names) or any("/" in name or "\0" in name for name in names)
        if wrong or (self.nested and any(name in _PARTS or name.startswith(".") for name in names)):
            msg = f"no folder of a Maildir can be called {raw!r}; name another one under folders"
            raise ValueError(msg)
        return raw if self.nested else f".{raw}"

    def raw(self, directory: str) -> str | None:
        """The inverse, for a directory that holds ``cur``; None if it is no folder."""
        if not directory:
            return "INBOX"
        if self.nested:
            return directory if not any(name.startswith(".") for name in directory.split("/")) else None
        return directory[1:] if directory.startswith(".") and "/" not in directory and len(directory) > 1 else None


def subscribed(file: bytes, separator: str) -> set[str]:
    """The raw names in a ``subscriptions`` file, of either form."""
    if not file.startswith(_SECOND):
        return {line.decode("utf-8", "surrogateescape") for line in file.split(b"\n") if line}
    lines = file.removeprefix(_SECOND).decode("utf-8", "surrogateescape").split("\n")
    return {separator.join(_unescaped(name) for name in line.split("\t")) for line in lines if line}


def with_subscribed(file: bytes, raws: list[str], separator: str) -> bytes:
    """The file with these names added, in the form that it has; a new one gets the second form."""
    second = file.startswith(_SECOND) or not file
    lines = file or _SECOND
    if not lines.endswith(b"\n"):
        lines += b"\n"
    for raw in raws:
        line = "\t".join(raw.split(separator)) if second else raw  # a raw name is printable: nothing to escape
        lines += line.encode("utf-8", "surrogateescape") + b"\n"
    return lines


def _unescaped(name: str) -> str:
    for escaped, plain in _ESCAPES.items():
        name = name.replace(escaped, plain)
    return name
