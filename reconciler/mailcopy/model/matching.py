"""Which messages of the target are copies of which messages of the source, when no ledger says so.

Both sides are multisets: three equal messages here and two there leave one to copy. The rounds go from the strictest
equality to the loosest; a message is paired once. Date and size alone never pair two messages: cron mail of two
servers agrees in both.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.mailcopy.model.message import Identity, Row, telling_apart


@dataclass(frozen=True, slots=True)
class Matches:
    """``pairs``: source UID to target UID. ``open_source`` and ``open_target`` are what the bodies have to decide."""

    pairs: Mapping[int, int]
    open_source: tuple[int, ...]
    open_target: tuple[int, ...]


_Key = Callable[[Row], tuple[object, ...]]

_ROUNDS: tuple[_Key, ...] = (
    lambda row: (row.arrived, row.size),
    lambda row: (row.size,),  # a server that changed the date
    lambda row: (row.arrived,),  # a server that rewrote line ends
)
"""What must be equal beside a strong identity."""


def match(
    source: Sequence[Row], target: Sequence[Row], identities: Mapping[int, Identity], strangers: Mapping[int, Identity]
) -> Matches:
    """Pair what the rows and headers prove.

    Messages that agree in identity only stay open: forwarded copies, which have more header, and messages without a
    Message-ID, which nothing but their text tells apart. ``identities`` are the source's, ``strangers`` the target's,
    by UID; a row without one vanished meanwhile.
    """
    left = {row.uid: row for row in source if row.uid in identities}
    right = {row.uid: row for row in target if row.uid in strangers}
    who = telling_apart([*identities.values(), *strangers.values()])
    pairs: dict[int, int] = {}
    for key in _ROUNDS:
        found = _equal(_keyed(left, identities, who, key), _keyed(right, strangers, who, key))
        for source_uid, target_uid in found.items():
            del left[source_uid], right[target_uid]
        pairs.update(found)
    common = {who(identities[uid]) for uid in left} & {who(strangers[uid]) for uid in right}
    return Matches(
        pairs,
        tuple(uid for uid in left if who(identities[uid]) in common),
        tuple(uid for uid in right if who(strangers[uid]) in common),
    )


class Text(NamedTuple):
    """A message that was read: UID, identity, digest of its text, INTERNALDATE in seconds, and a digest of all of it.

    ``exact`` decides first between messages that the other digest does not tell apart. ``arrived`` is None where the
    date says nothing: there is none, or it lies in the future, for which servers put the moment of the copy.
    """

    uid: int
    identity: Identity
    digest: bytes
    arrived: int | None
    exact: bytes = b""


def _every(_: Text) -> bool:
    return True


def _undated(text: Text) -> bool:
    return text.arrived is None


def _any_date(text: Text) -> bool:
    return text.identity.strong or _undated(text)


_Which = Callable[[Text], bool]
_TEXT_ROUNDS: tuple[tuple[_Which, _Which, Callable[[Text], tuple[object, ...]]], ...] = (
    (_every, _every, lambda text: (text.exact or text.digest, text.arrived)),
    (_every, _every, lambda text: (text.digest, text.arrived)),
    (_any_date, _every, lambda text: (text.exact or text.digest,)),
    (_any_date, _every, lambda text: (text.digest,)),
    (_every, _undated, lambda text: (text.exact or text.digest,)),
    (_every, _undated, lambda text: (text.digest,)),
)
"""Which messages of the source, which of the target, and what must be equal beside the identity."""


def pair_by_text(source: Sequence[Text], target: Sequence[Text]) -> dict[int, int]:
    """Pair equal texts: those of one date first, then of any date where a Message-ID says that they are one message.

    Two messages without a Message-ID and of different dates may be the same words said twice, so both are kept; but a
    date that says nothing, on either side, makes no difference.
    """
    who = telling_apart(text.identity for text in (*source, *target))
    pairs: dict[int, int] = {}
    for here, there, key in _TEXT_ROUNDS:
        taken = set(pairs.values())
        left = [text for text in source if text.uid not in pairs and here(text)]
        right = [text for text in target if text.uid not in taken and there(text)]
        ours, theirs = ([(text.uid, (who(text.identity), *key(text))) for text in side] for side in (left, right))
        pairs.update(_equal(ours, theirs))
    return pairs


def _equal(source: Iterable[tuple[int, Hashable]], target: Iterable[tuple[int, Hashable]]) -> dict[int, int]:
    """Pair (UID, key) with equal keys, in the order given."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for uid, key in target:
        waiting[key].append(uid)
    pairs: dict[int, int] = {}
    for uid, key in source:
        if waiting[key]:
            pairs[uid] = waiting[key].pop(0)
    return pairs


def _keyed(
    rows: Mapping[int, Row], identities: Mapping[int, Identity], who: Callable[[Identity], Hashable], key: _Key
) -> Iterable[tuple[int, Hashable]]:
    return ((uid, (who(identities[uid]), *key(row))) for uid, row in rows.items() if identities[uid].strong)
