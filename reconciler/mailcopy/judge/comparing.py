"""The texts of two messages that should be one: equal, rewritten in a known way, unstable on the source, or altered."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from reconciler.mailcopy.model.judging import FORWARDED, REWRITTEN, SAME_TEXT
from reconciler.mailcopy.model.message import header_of, identify, normalised, text_digest
from reconciler.mailcopy.model.unstable import keeps_what_stays
from reconciler.model.grade import Difference, Kind

UNSTABLE: Final = "the source shows another text at each reading"
APPROVED: Final = "approved in the spec: " + UNSTABLE
ANOTHER: Final = "the target holds another text than the one that was approved"


class Prints(NamedTuple):
    """Digests of a message: as it is; without what servers rewrite; and so of what follows the header.

    ``who``: what of the header no server on the way has reason to change.
    """

    exact: bytes
    whole: bytes
    text: bytes
    who: tuple[bytes, bytes]

    @classmethod
    def of(cls, message: bytes) -> Self:
        """Of a message as it was read."""
        whole = hashlib.sha256(normalised(message)).digest()
        who = identify(header_of(message))
        return cls(exact(message), whole, text_digest(message), (who.message_id, who.undated))

    def why_equal(self, other: "Prints") -> str:
        """Nothing where they are not."""
        if self.exact == other.exact:
            return SAME_TEXT
        if self.whole == other.whole:
            return REWRITTEN
        return FORWARDED if (self.text, self.who) == (other.text, other.who) else ""


def exact(message: bytes) -> bytes:
    """The digest of a message, octet by octet."""
    return hashlib.sha256(message).digest()


class Finding(NamedTuple):
    """One difference, not yet counted with its like."""

    kind: Kind
    explained: str = ""
    words: str = ""


@dataclass(slots=True)
class Approvals:
    """Texts of copies that are approved, by source UID; ``wanted``: the spec approves what is found now."""

    known: Mapping[int, bytes]
    wanted: bool
    new: dict[int, bytes] = field(default_factory=dict)


def unequal(
    uid: int,
    first: bytes,
    read_again: Callable[[], bytes | None],
    held: Callable[[], Iterable[bytes]],
    approvals: Approvals,
) -> Finding | None:
    """What a message is whose first reading is none of the texts that the target holds for it.

    Two readings of the source that differ say that it is unstable; then what they agree on must stand on the target.
    None where the source does not hold it any more.
    """
    known = approvals.known.get(uid)
    if known is not None and any(exact(text) == known for text in held()):
        return Finding(Kind.UNSTABLE, APPROVED if approvals.wanted else "", UNSTABLE)
    again = read_again()
    if again is None:
        return None
    if again == first:
        return Finding(Kind.ALTERED)
    fit = next((text for text in held() if keeps_what_stays(first, again, text)), None)
    return Finding(Kind.ALTERED, words=UNSTABLE) if fit is None else _unstable(uid, fit, approvals)


def _unstable(uid: int, text: bytes, approvals: Approvals) -> Finding:
    if uid in approvals.known:
        return Finding(Kind.UNSTABLE, words=ANOTHER)
    if not approvals.wanted:
        return Finding(Kind.UNSTABLE, words=UNSTABLE)
    approvals.new[uid] = exact(text)
    return Finding(Kind.UNSTABLE, APPROVED)


def counted(folder: str, findings: Iterable[tuple[str, Finding]]) -> Iterable[Difference]:
    """Findings with what helps to find each, counted by their kind and reason."""
    numbers: dict[tuple[Kind, str], int] = {}
    examples: dict[tuple[Kind, str], str] = {}
    for name, finding in findings:
        key = finding.kind, finding.explained
        numbers[key] = numbers.get(key, 0) + 1
        examples.setdefault(key, f"{name}: {finding.words}" if finding.words else name)
    return [Difference(folder, *key[:1], number, key[1], examples[key]) for key, number in numbers.items()]
