"""A folder, whatever its server's separator, prefix and encoding."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.mailcopy.model import utf7
from reconciler.model.folder_path import Path, title

INBOX: Path = ("INBOX",)


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where a server keeps the user's own folders: ``prefix`` as in ``INBOX.`` or empty, and ``separator``.

    ``foreign`` are the prefixes of other users' and shared folders, which belong to no single mailbox. An empty
    separator says that folders have no children (RFC 2342; RFC 3501, section 7.2.2).
    """

    prefix: str = ""
    separator: str = "/"
    foreign: tuple[str, ...] = ()

    def is_foreign(self, name: str) -> bool:
        """Whether the name lies in somebody else's tree."""
        return any(name == p.removesuffix(self.separator) or name.startswith(p) for p in self.foreign if p)

    def path(self, name: str) -> Path:
        """The path behind a decoded name; INBOX is the same in any case (RFC 3501, section 5.1)."""
        if name.upper() == "INBOX":
            return INBOX
        own = name[len(self.prefix) :] if self.prefix and name.startswith(self.prefix) else name
        names = own.split(self.separator) if self.separator else [own]
        if names[0].upper() == "INBOX":
            names[0] = "INBOX"
        return tuple(names)

    def name(self, path: Path) -> str:
        """The decoded name that the server gives to a path."""
        if path == INBOX:
            return "INBOX"
        return self.prefix + self.separator.join(path)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that exists: its name as on the wire, its path, its attributes in lower case."""

    raw: bytes
    path: Path
    attributes: frozenset[str] = frozenset()
    subscribed: bool = False

    @property
    def selectable(self) -> bool:
        """Whether it can hold messages."""
        return not self.attributes & {"\\noselect", "\\nonexistent"}

    @property
    def title(self) -> str:
        """The path for people and as a key in the spec: names joined by slashes."""
        return title(self.path)

    @classmethod
    def of(
        cls, namespace: Namespace, raw: bytes, attributes: Sequence[str] = (), *, subscribed: bool = False
    ) -> "Folder":
        """From a name as on the wire.

        Raises:
            ValueError: the name is not modified UTF-7, or holds a character that no command could carry.

        """
        if any(octet in raw for octet in b"\0\r\n"):
            msg = f"the folder name {raw!r} holds a line end or NUL, so no command can name it; rename it there"
            raise ValueError(msg)
        return cls(raw, namespace.path(utf7.decode(raw)), frozenset(a.lower() for a in attributes), subscribed)
