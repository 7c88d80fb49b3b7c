"""What changes in an RRset, in the words of its records: SPF mechanisms, DKIM keys, DMARC tags, addresses."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from reconciler.model.dkim import KeyRecord, is_key
from reconciler.model.dmarc import Policy, is_dmarc
from reconciler.model.reference import refers_to
from reconciler.model.rrset import RRset
from reconciler.model.spf import MOST_LOOKUPS, Mechanism, Spf, is_spf

_KEY_SHOWN: Final = 8  # characters at the end of a public key: enough to tell two apart
_TEXT_SHOWN: Final = 60


def record_words(before: RRset | None, after: RRset | None) -> Iterator[str]:
    """The parts of the line: data, then TTL."""
    stood = before.rdata if before else frozenset[str]()
    stands = after.rdata if after else frozenset[str]()
    subject = after or before
    assert subject is not None
    if stood != stands:
        yield from _texts(stood, stands) if subject.rdtype == "TXT" else _plain(stood, stands)
    if before is None or after is None:
        yield f"TTL {subject.ttl}"
    elif before.ttl != after.ttl:
        yield f"TTL {before.ttl} -> {after.ttl}"


def _plain(stood: frozenset[str], stands: frozenset[str]) -> Iterator[str]:
    sides = [", ".join(text.removesuffix(".") for text in sorted(side, key=_by_number)) for side in (stood, stands)]
    yield " -> ".join(filter(None, sides))


def _by_number(text: str) -> tuple[int, str]:
    """MX by preference."""
    number, _, rest = text.partition(" ")
    return (int(number), rest) if number.isdigit() else (0, text)


def _texts(stood: frozenset[str], stands: frozenset[str]) -> Iterator[str]:
    gone, come = stood - stands, stands - stood
    for owns, tell in _KINDS:
        before, after = sorted(filter(owns, gone)), sorted(filter(owns, come))
        if before or after:
            yield tell(before, after)
        gone, come = gone.difference(before), come.difference(after)
    yield from (f"+{_quoted(text)}" for text in sorted(come))
    yield from (f"-{_quoted(text)}" for text in sorted(gone))
    if others := len(stood & stands):
        yield f"{others} other {'text stays' if others == 1 else 'texts stay'}"


def _spf(before: list[str], after: list[str]) -> str:
    """``+ip4:… -include:… ~all -> -all, look-ups 3 of 10``, the look-ups of the record itself."""
    try:
        stood, (stands, *_) = [Spf.parse(text) for text in before], [*map(Spf.parse, after), Spf(())]
    except ValueError:
        return _replaced(before, after)
    if not after:
        return f"SPF -{_quoted(before[0])}"
    old = {m.target: m for record in stood for m in record.mechanisms if m.name != "all"}
    new = {m.target: m for m in stands.senders}
    words = [f"+{new[target]}" for target in new if target not in old]
    words += [f"-{old[target]}" for target in old if target not in new]
    words += [f"{old[target]} -> {new[target]}" for target in new if target in old and old[target] != new[target]]
    words += _policy(stood, stands)
    if len(before) > 1:
        words.append(f"{len(before)} records become one")
    return f"SPF {' '.join(words) or 'written anew'}, look-ups {stands.lookups} of {MOST_LOOKUPS}"


def _policy(stood: Iterable[Spf], stands: Spf) -> Iterator[str]:
    before: Mechanism | None = next((record.all for record in stood if record.all), None)
    if before != stands.all:
        yield " -> ".join(str(each) for each in (before, stands.all) if each)


def _dkim(before: list[str], after: list[str]) -> str:
    return "DKIM " + " -> ".join(", ".join(map(_key, side)) for side in (before, after) if side)


def _key(text: str) -> str:
    if refers_to(text):
        return "key known after apply"
    try:
        record = KeyRecord.parse(text)
    except ValueError:
        return f"unreadable key {_quoted(text)}"
    if record.revoked:
        return "revoked key"
    return f"key {key_ending(record.public)}" + (f", {record.bits} bits" if record.bits else "")


def key_ending(public: str) -> str:
    """The end of a public key; its beginning is the same for all keys of one size."""
    return f"…{public[-_KEY_SHOWN:]}"


def _dmarc(before: list[str], after: list[str]) -> str:
    if not after:
        return f"DMARC -{_quoted(before[0])}"
    old = dict(Policy.parse(before[0]).tags) if before else {}
    new = dict(Policy.parse(after[0]).tags)
    words = [
        " ".join([name, " -> ".join(tags[name] for tags in (old, new) if name in tags)])
        for name in new
        if new[name] != old.get(name)
    ]
    return (
        f"DMARC {', '.join([*words, *(f'-{name} {old[name]}' for name in old if name not in new)]) or 'written anew'}"
    )


def _replaced(before: list[str], after: list[str]) -> str:
    return " -> ".join(", ".join(map(_quoted, side)) for side in (before, after) if side)


def _quoted(text: str) -> str:
    return f'"{text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"}"'


def _is_key(text: str) -> bool:
    return refers_to(text) is not None or is_key(text)


_KINDS: Final[tuple[tuple[Callable[[str], bool], Callable[[list[str], list[str]], str]], ...]] = (
    (is_spf, _spf),
    (is_dmarc, _dmarc),
    (_is_key, _dkim),
)
