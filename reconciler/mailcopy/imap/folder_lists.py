"""What a survey is made of: NAMESPACE, LIST, LSUB and STATUS responses (RFC 3501, section 7.2; RFC 2342)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.mailcopy.imap.grammar import Token, tokens
from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.model.folder import Folder, Namespace, distinct

_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")
_CANNOT_HOLD_MAIL = {"\\noselect", "\\nonexistent"}


class Status(NamedTuple):
    """Where a folder stands (RFC 3501, section 6.3.10); ``modseq`` is 0 where the server keeps none.

    ``uidnext`` is 0 where the server does not tell it.
    """

    messages: int
    uidnext: int
    uidvalidity: int
    modseq: int


@dataclass(slots=True)
class Listing:
    """What the responses told so far; all keys are raw names."""

    attributes: dict[bytes, set[str]] = field(default_factory=dict)
    subscribed: set[bytes] = field(default_factory=set)
    status: dict[bytes, Status] = field(default_factory=dict)
    separators: dict[bytes, str] = field(default_factory=dict)
    _namespaces: list[Token] = field(default_factory=list)

    def note(self, parts: Parts) -> None:
        """Take one response in; any other kind is passed over."""
        kind, *rest = tokens(parts)[1:] or [None]
        match kind.upper() if isinstance(kind, bytes) else b"":
            case b"NAMESPACE":
                self._namespaces = rest
            case b"LIST" if len(rest) > 2:  # noqa: PLR2004 - attributes, separator, name
                self._note_folder(_raw(rest[2]), _lower(rest[0]), _text(rest[1]))
            case b"LSUB" if len(rest) > 2:  # noqa: PLR2004 - as LIST
                if "\\noselect" not in _lower(rest[0]):  # else it is only the parent of one (RFC 3501, section 6.3.9)
                    self.subscribed.add(_raw(rest[2]))
            case b"STATUS" if len(rest) > 1:
                self._note_status(_raw(rest[0]), rest[1])
            case _:
                pass

    def folders(self, namespace: Namespace) -> tuple[tuple[Folder, ...], dict[bytes, str]]:
        """The user's own folders, no two of one path, and why others cannot be named; by raw name."""
        folders, why = [], {}
        for raw, attributes in self.attributes.items():
            try:
                folder = Folder.of(
                    namespace,
                    raw,
                    tuple(attributes),
                    subscribed=raw in self.subscribed,
                    separator=self.separators[raw],
                )
            except ValueError as error:
                why[raw] = str(error)
                continue
            if not namespace.is_foreign(raw.decode("latin-1")):
                folders.append(folder)
        return distinct(folders, namespace), why

    def _note_folder(self, raw: bytes, attributes: set[str], separator: str) -> None:
        """Of two rows for one folder, one may be a mere parent's: it holds mail if either says so."""
        known = self.attributes.get(raw, attributes)
        mere_parent = known & attributes & _CANNOT_HOLD_MAIL
        self.attributes[raw] = ((known | attributes) - _CANNOT_HOLD_MAIL) | mere_parent
        self.separators.setdefault(raw, separator)
        if "\\subscribed" in attributes:
            self.subscribed.add(raw)

    def _note_status(self, raw: bytes, items: Token) -> None:
        """One that lacks an item, or tells no number for it, says nothing: EXAMINE is asked then."""
        if not isinstance(items, list):
            return
        pairs = zip(items[::2], items[1::2], strict=False)
        numbers = {_text(name).upper(): int(_text(n)) for name, n in pairs if _text(n).isascii() and _text(n).isdigit()}
        if numbers.keys() >= set(_ITEMS):
            messages, uidnext, uidvalidity = (numbers[name] for name in _ITEMS)
            self.status[raw] = Status(messages, uidnext, uidvalidity, numbers.get("HIGHESTMODSEQ", 0))

    def namespace(self) -> Namespace:
        """As the server says, else from the names that LIST showed."""
        personal, *others = (*self._namespaces, None, None, None)[:3]
        foreign = tuple(prefix for group in others for prefix, _ in _entries(group))
        if own := list(_entries(personal)):
            return Namespace(*own[0], foreign, tuple(prefix for prefix, _ in own[1:]))
        separator = next((each for each in self.separators.values() if each), "/" if not self.separators else "")
        inbox = f"INBOX{separator}"
        below = [raw for raw in self.attributes if raw != b"INBOX"]
        courier = bool(below and separator) and all(raw.startswith(inbox.encode()) for raw in below)
        return Namespace(inbox if courier else "", separator, told=False)


def _entries(group: Token) -> Iterator[tuple[str, str]]:
    """Prefix and separator of each namespace of a kind."""
    for entry in group if isinstance(group, list) else ():
        if isinstance(entry, list) and len(entry) > 1:
            yield _text(entry[0]), _text(entry[1])


def _raw(name: Token) -> bytes:
    """A folder's name, INBOX in one spelling; a folder called NIL looks like the atom."""
    raw = name if isinstance(name, bytes) else b"NIL"
    return b"INBOX" if raw.upper() == b"INBOX" else raw


def _lower(attributes: Token) -> set[str]:
    return {_text(attribute).lower() for attribute in attributes} if isinstance(attributes, list) else set()


def _text(token: Token) -> str:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else ""
