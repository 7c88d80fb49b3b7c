"""Spec to desired state, for all five stages at once: pure.

An address is ours if some stage of the spec desires it. All others are not in the result, so that no diff can touch
them; inside of an address that is ours, the kinds' ``merge`` keeps what other people have put there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.engine.zone import desire_zone
from reconciler.extend import Keeps, RecordKind, ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource, State
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec

Values = Mapping[Address, tuple[Resource | None, ...]]
"""For each address that is ours, what it should be at each stage, in the order of Stage; None: absent."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of things that exist, as they were discovered."""

    servers: Sequence[ServerKind]
    records: Sequence[RecordKind]

    @property
    def types(self) -> dict[str, type[Resource]]:
        """Kind to class, for reading plans and journals."""
        return {kind.type.kind: kind.type for kind in self.servers}

    def settled(self, wanted: Resource | None, standing: Resource | None) -> bool:
        """Whether what stands is all that was wanted: laying one over the other changes nothing.

        What only counts at the making of a resource (a password, a key's source) is not asked of one that exists.
        """
        if wanted == standing:
            return True
        if wanted is None or standing is None or type(wanted) is not type(standing):
            return False
        return any(kind.merge(wanted, standing) == standing for kind in self.servers if kind.type is type(wanted))

    def laid(self, wanted: Resource | None, standing: Resource | None) -> Resource | None:
        """What there would be with our part as ``wanted`` and what other people have put there as it stands."""
        merges = [kind.merge for kind in self.servers if kind.type is type(standing)]
        return merges[0](wanted, standing) if merges else wanted


def desire(
    spec: Spec,
    kinds: Kinds,
    observed: State,
    baseline: Mapping[Address, Resource | None] | None = None,
    keeps: Mapping[Place, Keeps] | None = None,
) -> Values:
    """What should exist at each stage, given what stands and what stood before this move touched it.

    ``spec`` is settled for a day (``Spec.on``); ``keeps`` is what the product at a place makes of what is wanted.
    """
    values = dict(_objects(spec, kinds.servers, observed))
    values.update(desire_zone(spec, kinds.records, observed, baseline or {}))
    for address in values if keeps else ():
        if keeps and address.place in keeps:
            values[address] = _kept(values[address], observed.get(address), keeps[address.place])
    return values


def _kept(value: tuple[Resource | None, ...], standing: Resource | None, keeps: Keeps) -> tuple[Resource | None, ...]:
    if value.count(value[0]) == len(value):
        return (value[0] and keeps(value[0], standing),) * len(value)
    return tuple(each and keeps(each, standing) for each in value)


def _objects(
    spec: Spec, kinds: Sequence[ServerKind], observed: State
) -> Iterator[tuple[Address, tuple[Resource | None, ...]]]:
    for kind in kinds:
        stages = _stages(spec, kind)
        for address in dict.fromkeys(address for wanted in stages for address in wanted):
            yield address, _merged(kind, [wanted.get(address) for wanted in stages], observed.get(address))


def _stages(spec: Spec, kind: ServerKind) -> list[dict[Address, Resource]]:
    """What the kind desires at each stage; the same object where it says that nothing changes."""
    stages: list[dict[Address, Resource]] = []
    for stage in Stage:
        if stages and stage not in kind.changes_at:
            stages.append(stages[-1])
        else:
            stages.append({resource.address: resource for resource in kind.desired(spec, stage)})
    return stages


def _merged(
    kind: ServerKind, wanted: Sequence[Resource | None], standing: Resource | None
) -> tuple[Resource | None, ...]:
    if wanted.count(wanted[0]) == len(wanted):  # most things are the same at every stage
        return (kind.merge(wanted[0], standing),) * len(wanted)
    return tuple(kind.merge(each, standing) for each in wanted)
