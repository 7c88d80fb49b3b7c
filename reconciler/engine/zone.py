"""The zone's part of the desired state: claims of all record kinds, laid over the RRsets that stand."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.extend import RecordKind, Standing
from reconciler.model.address import Address, Place
from reconciler.model.reference import resolve
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import Claim, RRset, normal_rdata, rrset_name
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec

_PUBLISH: Final = ("dkim_key",)  # the kinds of server objects that need a record of their own name
DEFAULT_TTL: Final = 3600  # seconds, for a new RRset where the spec is silent and nothing stood before


@dataclass(slots=True)
class _Claimed:
    """What one kind claims at one name, stage by stage."""

    kind: RecordKind
    owner: str
    stages: dict[Stage, list[Claim]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ever(self) -> frozenset[str]:
        return frozenset(c.rdata for claims in self.stages.values() for c in claims if c.rdata is not None)


@dataclass(frozen=True, slots=True)
class _Stood:
    """The state as read, and what stood before this move touched it."""

    observed: State
    baseline: Mapping[Address, Resource | None]

    def before(self, address: Address) -> RRset | None:
        return _rrset(self.baseline[address] if address in self.baseline else self.observed.get(address))


def desire_zone(
    spec: Spec, kinds: Sequence[RecordKind], observed: State, baseline: Mapping[Address, Resource | None]
) -> dict[Address, tuple[Resource | None, ...]]:
    """For each RRset that some stage claims, its value at each stage."""
    stood = _Stood(observed, baseline)
    return {
        address: tuple(_value(spec, stage, address, claimed, stood) for stage in Stage)
        for address, claimed in _by_name(spec, kinds)
    }


def claimed_names(spec: Spec, kinds: Sequence[RecordKind]) -> frozenset[str]:
    """The names of the RRsets that some stage claims: what must be read, and watched."""
    return frozenset(address.name for address, _ in _by_name(spec, kinds))


def _by_name(spec: Spec, kinds: Sequence[RecordKind]) -> Iterator[tuple[Address, list[_Claimed]]]:
    found: dict[str, list[_Claimed]] = {}
    for kind in kinds:
        mine: dict[str, _Claimed] = {}
        for stage in Stage:
            for claim in kind.desired(spec, stage):
                name = rrset_name(claim.owner, kind.rdtype)
                normal = claim.rdata and normal_rdata(kind.rdtype, claim.rdata)
                mine.setdefault(name, _Claimed(kind, claim.owner)).stages[stage].append(Claim(claim.owner, normal))
        for name, claimed in mine.items():
            found.setdefault(name, []).append(claimed)
    for name, claims in sorted(found.items()):
        yield Address(Place.DNS, RRset.kind, name), claims


def _value(spec: Spec, stage: Stage, address: Address, claims: Sequence[_Claimed], stood: _Stood) -> RRset | None:
    standing = _rrset(stood.observed.get(address))
    before = stood.before(address)
    rdata = standing.rdata if standing else frozenset[str]()
    for claimed in claims:
        rdata = _lay_over(rdata, claimed, stage, before, stood.observed)
    ttl = _ttl(spec, stage, before, moves=any(claimed.kind.moves for claimed in claims))
    return RRset(name=address.name, ttl=ttl, rdata=rdata) if rdata else None


def _lay_over(
    rdata: frozenset[str], claimed: _Claimed, stage: Stage, before: RRset | None, observed: State
) -> frozenset[str]:
    kind = claimed.kind
    owned = frozenset(text for text in rdata if kind.owns(text))
    claims = claimed.stages[stage]
    if any(claim.rdata is None for claim in claims):
        ours = frozenset(text for text in before.rdata if kind.owns(text)) if before else frozenset[str]()
    else:
        wanted = frozenset(resolve(claim.rdata, observed) for claim in claims if claim.rdata is not None)
        published = frozenset(_published(claimed.owner, observed))
        ours = kind.merge(wanted, Standing(claimed.owner, owned, claimed.ever, published))
    return (rdata - owned) | ours


def _published(owner: str, observed: State) -> Iterator[str]:
    """What the new server has that must stand at a name."""
    name = owner.removesuffix(".")
    for kind in _PUBLISH:
        resource = observed.get(Address(Place.NEW, kind, name))
        if resource is not None and (text := resource.publishes()):
            yield text


def _ttl(spec: Spec, stage: Stage, before: RRset | None, *, moves: bool) -> int:
    """Lowered from overlap until harden where the cutover touches the RRset; elsewhere as it stood."""
    stood = before.ttl if before else None
    if moves and Stage.OVERLAP <= stage <= Stage.CUTOVER:
        return spec.ttl.during if stood is None else min(stood, spec.ttl.during)
    if moves and stage >= Stage.HARDEN and spec.ttl.after is not None:
        return spec.ttl.after
    return stood or spec.ttl.after or DEFAULT_TTL


def _rrset(resource: Resource | None) -> RRset | None:
    assert resource is None or isinstance(resource, RRset)
    return resource
