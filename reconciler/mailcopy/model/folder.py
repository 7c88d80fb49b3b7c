"""A folder, whatever its server's separator, prefix and encoding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.mailcopy.model import utf7
from reconciler.model.folder_path import Path, title

INBOX: Path = ("INBOX",)


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where a server keeps the user's own folders: ``prefix`` as in ``INBOX.`` or empty, and ``separator``.

    ``foreign`` are the prefixes of other users' and shared folders, which belong to no single mailbox; ``others`` those
    of the user's further namespaces. ``told``: the server says so itself. An empty separator says that folders have no
    children (RFC 2342; RFC 3501, section 7.2.2).
    """

    prefix: str = ""
    separator: str = "/"
    foreign: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    told: bool = True

    def is_foreign(self, name: str) -> bool:
        """Whether the name lies in somebody else's tree."""
        return any(name == p.removesuffix(self.separator) or name.startswith(p) for p in self.foreign if p)

    def path(self, name: str, separator: str | None = None) -> Path:
        """The path behind a decoded name; ``separator`` is the folder's own, where LIST tells another.

        INBOX alone is the same in any case (RFC 3501, section 5.1). A folder INBOX below the prefix INBOX is another.
        """
        if name.upper() == "INBOX":
            return INBOX
        cut = self.separator if separator is None else separator
        own = name[len(self.prefix) :] if self.prefix and name.startswith(self.prefix) else name
        if not own or own.upper() == "INBOX":
            own = name
        names = own.split(cut) if cut else [own]
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
        cls,
        namespace: Namespace,
        raw: bytes,
        attributes: Sequence[str] = (),
        *,
        subscribed: bool = False,
        separator: str | None = None,
    ) -> "Folder":
        """From a name as on the wire.

        Raises:
            ValueError: the name holds a character that no command could carry.

        """
        if any(octet in raw for octet in b"\0\r\n"):
            msg = f"the folder name {raw!r} holds a line end or NUL, so no command can name it; rename it there"
            raise ValueError(msg)
        path = namespace.path(utf7.readable(raw), separator)
        return cls(raw, path, frozenset(a.lower() for a in attributes), subscribed)


def distinct(folders: Iterable[Folder], namespace: Namespace) -> tuple[Folder, ...]:
    """The folders, no two of one path: a folder is its raw name, and two of these may read alike.

    The path stays with the name that the server would give to it; the others get a number.
    """
    ordered = sorted(folders, key=lambda folder: folder.raw != utf7.encode(namespace.name(folder.path)))
    found: dict[Path, Folder] = {}
    for folder in ordered:
        path, number = folder.path, 2
        while path in found:
            path, number = (*folder.path[:-1], f"{folder.path[-1]} ({number})"), number + 1
        found[path] = replace(folder, path=path)
    return tuple(found.values())
