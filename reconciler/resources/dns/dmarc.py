"""DMARC: what receivers shall do with mail that neither SPF nor DKIM vouches for (RFC 9989)."""

from collections.abc import Iterator

from reconciler.extend import RecordKind, Standing
from reconciler.model.dmarc import Policy, is_dmarc
from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.spec.policies import Dmarc
from reconciler.spec.spec import Spec


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """As it stood until harden, when only the new server sends; then the spec's policy, if it has one."""
    if spec.dmarc:
        yield Claim(f"_dmarc.{spec.owner}", str(policy(spec.dmarc)) if stage >= Stage.HARDEN else None)


def policy(final: Dmarc) -> Policy:
    """The spec's tags as a record."""
    tags = {name: value if isinstance(value, str) else ",".join(value) for name, value in final if value}
    return Policy.of(tags)


def merge(wanted: frozenset[str], standing: Standing) -> frozenset[str]:
    """The spec's tags win; the others that stand (report addresses above all) are kept. Two records become one."""
    (text,) = wanted
    stood = Policy(())
    for each in sorted(standing.observed, reverse=True):
        stood = stood.with_tags(dict(Policy.parse(each).tags))
    merged = stood.with_tags(dict(Policy.parse(text).tags))
    for each in standing.observed:
        if len(standing.observed) == 1 and dict(Policy.parse(each).tags) == dict(merged.tags):
            return standing.observed
    return frozenset({str(merged)})


KIND = RecordKind("TXT", is_dmarc, desired, source="RFC 9989", merge=merge)
