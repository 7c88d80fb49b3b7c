"""LIST and NAMESPACE responses as the judge reads them (RFC 3501, section 7.2.2; RFC 2342)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.judge.lexer import Item, Unreadable, printable, taken_apart
from reconciler.mailcopy.model.folder import Folder, Namespace, distinct

_LIST: Final = re.compile(rb"\* LIST (?=\()", re.IGNORECASE)
_NAMESPACE: Final = re.compile(rb"\* NAMESPACE ", re.IGNORECASE)
_HOLDS_NO_MAIL: Final = frozenset({"\\noselect", "\\nonexistent"})


@dataclass(slots=True)
class Names:
    """What the server listed: attributes and separator by raw name; ``odd`` are the rows that name no folder."""

    attributes: dict[bytes, frozenset[str]] = field(default_factory=dict)
    separators: dict[bytes, str] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    _spaces: Sequence[Item] = ()

    def hear(self, parts: Parts) -> None:
        """Take one response in; any other kind is passed over."""
        if row := _LIST.match(parts[0]):
            try:
                self._note(taken_apart(parts, row.end()))
            except Unreadable:
                self.odd.append(printable(b"".join(parts)))
        elif spaces := _NAMESPACE.match(parts[0]):
            try:
                self._spaces = taken_apart(parts, spaces.end())
            except Unreadable:
                self._spaces = ()

    def _note(self, row: Sequence[Item]) -> None:
        """Of two rows for one folder, one may be a mere parent's: it holds mail if either says so."""
        match row:
            case [tuple(told), bytes() | None as separator, bytes() | None as name, *more] if not any(
                isinstance(each, bytes) for each in more
            ):
                raw = b"NIL" if name is None else name  # a folder of that name looks like none
            case _:
                raise Unreadable
        raw = b"INBOX" if raw.upper() == b"INBOX" else raw
        attributes = frozenset(each.decode("latin-1").lower() for each in told if isinstance(each, bytes))
        known = self.attributes.get(raw, attributes)
        self.attributes[raw] = ((known | attributes) - _HOLDS_NO_MAIL) | (known & attributes & _HOLDS_NO_MAIL)
        self.separators.setdefault(raw, (separator or b"").decode("latin-1"))

    def namespace(self) -> Namespace:
        """As the server says, else from the names that it listed."""
        personal, *others = (*self._spaces, None, None, None)[:3]
        foreign = tuple(prefix for group in others for prefix, _ in _entries(group))
        if own := list(_entries(personal)):
            return Namespace(*own[0], foreign, tuple(prefix for prefix, _ in own[1:]))
        separator = next((each for each in self.separators.values() if each), "/" if not self.separators else "")
        inbox = f"INBOX{separator}".encode("latin-1")
        below = [raw for raw in self.attributes if raw != b"INBOX"]
        courier = bool(below and separator) and all(raw.startswith(inbox) for raw in below)
        return Namespace(inbox.decode("latin-1") if courier else "", separator, told=False)

    def folders(self, namespace: Namespace) -> tuple[Folder, ...]:
        """The user's own folders, no two of one path; a name that no command can say is an odd row afterwards."""
        return distinct(self._own(namespace), namespace)

    def _own(self, namespace: Namespace) -> Iterator[Folder]:
        for raw, attributes in self.attributes.items():
            try:
                folder = Folder.of(namespace, raw, tuple(attributes), separator=self.separators.get(raw))
            except ValueError as error:
                self.odd.append(str(error))
                continue
            if not namespace.is_foreign(raw.decode("latin-1")):
                yield folder


def _entries(group: Item) -> Iterator[tuple[str, str]]:
    """Prefix and separator of each namespace of a kind."""
    for entry in group if isinstance(group, tuple) else ():
        match entry:
            case (bytes(prefix), bytes() | None as separator, *_):
                yield prefix.decode("latin-1"), (separator or b"").decode("latin-1")
            case _:
                pass
