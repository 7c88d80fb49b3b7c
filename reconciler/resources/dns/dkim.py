"""DKIM keys: what verifiers look up for the signatures of either server (RFC 6376, section 3.6)."""

from collections.abc import Iterator

from reconciler.extend import RecordKind, Standing
from reconciler.model.address import Address, Place
from reconciler.model.dkim import KeyRecord, is_key
from reconciler.model.reference import reference
from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.resources.server.dkim_key import DkimKey, key_name
from reconciler.spec.spec import Spec


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """The new server's keys from overlap on; the old one's until decommission, for mail that is still under way."""
    for key in spec.new.dkim:
        name = key_name(key.selector, spec.domain)
        published = reference(Address(Place.NEW, DkimKey.kind, name))
        yield Claim(f"{name}.", published if stage >= Stage.OVERLAP else None)
    if stage < Stage.DECOMMISSION:
        for selector in spec.old.dkim:
            yield Claim(f"{key_name(selector, spec.domain)}.", None)


def merge(wanted: frozenset[str], standing: Standing) -> frozenset[str]:
    """The claimed keys, in the spelling in which they stand; any other key of the selector goes.

    But for the one that the new server signs with: two servers can have the same key, and the old one's is retired.
    """
    spelt = {key: text for text in sorted(standing.observed) if (key := _key(text))}
    signing = {spelt[key] for text in standing.published if (key := _key(text)) in spelt}
    return frozenset(spelt.get(_key(text) or "", text) for text in wanted) | signing


def _key(text: str) -> str | None:
    """What tells keys apart; None for a key that is not known yet, is revoked, or cannot be read."""
    try:
        return KeyRecord.parse(text).public or None
    except ValueError:
        return None


KIND = RecordKind("TXT", is_key, desired, source="RFC 6376, section 3.6", merge=merge)
