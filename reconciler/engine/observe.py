"""Read the world through the ports: every store of every place, at the same time."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.engine.desire import Kinds
from reconciler.engine.zone import claimed_names
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.stage import Stage
from reconciler.ports import Store
from reconciler.spec.spec import Spec

Stores = Mapping[tuple[Place, str], Store[Any]]


def observe(stores: Stores, spec: Spec, kinds: Kinds) -> dict[Address, Resource]:
    """All that the stores show; of the zone at least what the plan and the checks look at.

    Raises:
        ObserveError: one could not be read; then nothing is known.

    """
    names = _names(spec, kinds)
    reads = [(store, names.get(key)) for key, store in sorted(stores.items(), key=lambda item: item[0])]
    asked = [(store, wanted) for store, wanted in reads if wanted is None or wanted]
    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as pool:
        found = list(pool.map(lambda read: list(read[0].read(read[1])), asked))
    return {resource.address: resource for resources in found for resource in resources}


def _names(spec: Spec, kinds: Kinds) -> dict[tuple[Place, str], frozenset[str]]:
    """What to ask of the stores that are not to be read whole."""
    names = {(Place.DNS, RRset.kind): zone_names(spec, kinds)}
    for kind in kinds.servers:
        if kind.only_ours:
            ours = {r.address for stage in kind.changes_at | {min(Stage)} for r in kind.desired(spec, stage)}
            for place in (Place.OLD, Place.NEW):
                names[place, kind.type.kind] = frozenset(a.name for a in ours if a.place is place)
    return names


def zone_names(spec: Spec, kinds: Kinds) -> frozenset[str]:
    """What the checks and the plan want to see of the zone, for stores that cannot show all of it."""
    exchanges = [mx.exchange for server in (spec.old, spec.new) for mx in server.mx]
    owners = {spec.domain, f"_mta-sts.{spec.domain}", f"mta-sts.{spec.domain}", *spec.hosts}
    owners |= {name for name in exchanges if name == spec.domain or name.endswith(f".{spec.domain}")}
    claimed = claimed_names(spec, kinds.records)
    owners |= {name.rpartition(" ")[0].removesuffix(".") for name in claimed}
    types = ("A", "AAAA", "CNAME", "MX", "TXT")
    return claimed | {rrset_name(owner, rdtype) for owner in owners for rdtype in types} | {_name_servers(spec)}


def _name_servers(spec: Spec) -> str:
    return RRset.of(spec.domain, "NS", 0).name
