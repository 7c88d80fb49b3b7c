"""The rows that a survey is made of: NAMESPACE, LIST, LSUB and STATUS responses (RFC 3501, section 7.2; RFC 2342)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.mailcopy.imap.grammar import Token, tokens
from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.model.folder import Namespace


class Status(NamedTuple):
    """Where a folder stands (RFC 3501, section 6.3.10); ``modseq`` is 0 where the server keeps none."""

    messages: int
    uidnext: int
    uidvalidity: int
    modseq: int


@dataclass(slots=True)
class Listing:
    """What the responses told so far; all keys are raw names."""

    attributes: dict[bytes, list[str]] = field(default_factory=dict)
    subscribed: set[bytes] = field(default_factory=set)
    status: dict[bytes, Status] = field(default_factory=dict)
    separator: str | None = None
    _namespaces: list[Token] = field(default_factory=list)

    def note(self, parts: Parts) -> None:
        """Take one response in; any other kind is passed over."""
        kind, *rest = tokens(parts)[1:] or [None]
        match kind.upper() if isinstance(kind, bytes) else b"":
            case b"NAMESPACE":
                self._namespaces = rest
            case b"LIST" if len(rest) > 2:  # noqa: PLR2004 - attributes, separator, name
                attributes, separator, name = rest[:3]
                raw = _raw(name)
                self.attributes[raw] = _lower(attributes)
                self.separator = _text(separator) if self.separator is None else self.separator
                if "\\subscribed" in self.attributes[raw]:
                    self.subscribed.add(raw)
            case b"LSUB" if len(rest) > 2:  # noqa: PLR2004 - as LIST
                if "\\noselect" not in _lower(rest[0]):  # else it is only the parent of one (RFC 3501, section 6.3.9)
                    self.subscribed.add(_raw(rest[2]))
            case b"STATUS" if len(rest) > 1:
                self._note_status(_raw(rest[0]), rest[1])
            case _:
                pass

    def _note_status(self, raw: bytes, items: Token) -> None:
        if not isinstance(items, list):
            return
        pairs = zip(items[::2], items[1::2], strict=False)
        numbers = {_text(name).upper(): int(_text(n)) for name, n in pairs if _text(n).isdigit()}
        if {"MESSAGES", "UIDNEXT", "UIDVALIDITY"} <= numbers.keys():
            self.status[raw] = Status(
                numbers["MESSAGES"], numbers["UIDNEXT"], numbers["UIDVALIDITY"], numbers.get("HIGHESTMODSEQ", 0)
            )

    def namespace(self) -> Namespace:
        """As the server says, else from the names that LIST showed."""
        personal, *others = (*self._namespaces, None, None, None)[:3]
        foreign = tuple(prefix for group in others for prefix, _ in _entries(group))
        if own := _entries(personal):
            return Namespace(*own[0], foreign)
        separator = "/" if self.separator is None else self.separator
        inbox = f"INBOX{separator}"
        below = [raw for raw in self.attributes if raw != b"INBOX"]
        courier = bool(below and separator) and all(raw.startswith(inbox.encode()) for raw in below)
        return Namespace(inbox if courier else "", separator)


def _entries(group: Token) -> list[tuple[str, str]]:
    """Prefix and separator of each namespace of a kind."""
    entries = group if isinstance(group, list) else []
    return [(_text(entry[0]), _text(entry[1])) for entry in entries if isinstance(entry, list) and len(entry) > 1]


def _raw(name: Token) -> bytes:
    """A folder's name, INBOX in one spelling; a folder called NIL looks like the atom."""
    raw = name if isinstance(name, bytes) else b"NIL"
    return b"INBOX" if raw.upper() == b"INBOX" else raw


def _lower(attributes: Token) -> list[str]:
    return [_text(attribute).lower() for attribute in attributes] if isinstance(attributes, list) else []


def _text(token: Token) -> str:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else ""
