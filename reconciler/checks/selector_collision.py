"""No selector of the new server stands in the zone with another key.

Its record would replace the other key, and every message signed with that one, those under way too, would fail DKIM.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import makes_key, publishes_key
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.dkim import KeyRecord, is_key
from reconciler.model.stage import Stage
from reconciler.model.tags import Tags
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.resources.server.dkim_key import DkimKey, key_name
from reconciler.spec.servers import DkimKey as Declared
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def gates(change: Change) -> bool:
    """The new key, and its record; what a rollback takes out of the zone collides with nothing."""
    return makes_key(change) or publishes_key(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """The keys in the zone as read against those of the new server; one still to be imported may be the same."""
    collisions = [why for key in spec.new.dkim for why in _collisions(spec, facts, key)]
    if collisions:
        return Fail(
            listed(collisions),
            "choose another selector in new.dkim; to carry the old key over, name its file there (key: file:…)",
        )
    if doubled := _doubled(spec, facts):
        return Warn(
            f"{listed(doubled)} stands in the zone, with the domain twice: a panel that adds the domain by itself was "
            "given the whole name, and no verifier looks there",
            "remove it, and publish the key at the name without the second domain",
        )
    return Pass(
        f"selectors of the new server: {listed(k.selector for k in spec.new.dkim) or 'none'}, no other key there"
    )


def _collisions(spec: Spec, facts: Facts, declared: Declared) -> Iterator[str]:
    name = key_name(declared.selector, spec.domain)
    published = {_public(text) for text in Zone(facts.observed, spec.owner).texts(f"{name}.") if is_key(text)} - {""}
    made = facts.observed.get(Address(Place.NEW, DkimKey.kind, name))
    ours = made.public if isinstance(made, DkimKey) else None
    unseen = (Place.NEW, DkimKey.kind) in facts.by_hand
    if ours is None and (declared.key or unseen):  # imported, or made where nobody sees it: it may be the same
        return
    if published - {ours}:
        yield f"{name}. stands in the zone with another key than the new server's"
    elif declared.selector in spec.old.dkim and ours not in published:
        yield f"{declared.selector} is a selector of the old server and of the new one, with two keys"


def _public(text: str) -> str:
    return KeyRecord(Tags.parse_leniently(text)).public


def _doubled(spec: Spec, facts: Facts) -> list[str]:
    zone = Zone(facts.observed, spec.owner)
    selectors = dict.fromkeys([*spec.old.dkim, *(key.selector for key in spec.new.dkim)])
    names = [f"{key_name(selector, spec.domain)}.{spec.owner}" for selector in selectors]
    return [name for name in names if zone.at(name, "TXT")]


CHECK = Check(
    title="No DKIM selector is used twice",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP}),
    gates=gates,
    judge=judge,
    source="RFC 6376, section 3.1",
)
