"""One suite for the Store port, run against every backend that is discovered."""

from pathlib import Path

import pytest

from reconciler.errors import StalePlan, WriteError
from reconciler.extend import ServerKind
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.plugins import discover, folders_with
from tests.conformance.worlds import (
    BY_HAND,
    DNS_CASES,
    NEED_DAEMONS,
    OWN_DNS_CASES,
    OWN_SERVER_CASES,
    SERVER_CASES,
    SERVERS,
    ZONES,
    reading,
)
from tests.support.move import KINDS

CASES = [
    *(
        (name, opener, kind, case)
        for name, opener in SERVERS.items()
        for kind, case in OWN_SERVER_CASES.get(name, SERVER_CASES).items()
    ),
    *(
        (name, opener, RRset.kind, case)
        for name, opener in ZONES.items()
        for case in OWN_DNS_CASES.get(name, DNS_CASES).values()
    ),
]


def _param(case):
    needs = [pytest.mark.daemon] if case[0] in NEED_DAEMONS else []
    return pytest.param(case, marks=needs, id=f"{case[0]}-{case[2]}-{case[3].first.name}")


every_case = pytest.mark.parametrize("scene", [_param(case) for case in CASES], indirect=True)
each_that_changes = pytest.mark.parametrize(
    "scene", [_param(case) for case in CASES if case[3].second is not None], indirect=True
)


@pytest.fixture
def scene(request, tmp_path: Path):
    """An opened product, the store under test and its case, with what must be there first."""
    _, opener, kind, case = request.param
    opened = opener(tmp_path)
    for needed in case.before:
        opened.stores[needed.kind].write([Change(None, needed)])
    yield opened, opened.stores[kind], case
    opened.close()


def standing(store, resource):
    return next((r for r in store.read({resource.name}) if r.address == resource.address), None)


def test_every_backend_is_held_to_this_suite() -> None:
    assert set(SERVERS) == set(folders_with("server", "reconciler.products"))
    assert ZONES.keys() | BY_HAND.keys() == set(folders_with("dns", "reconciler.products"))
    kinds = discover("reconciler.resources.server", ServerKind)
    assert set(SERVER_CASES) == {kind.type.kind for kind in kinds.values()}


@pytest.mark.parametrize("name", OWN_SERVER_CASES)
def test_a_product_with_cases_of_its_own_leaves_out_only_what_is_by_hand(name: str, tmp_path: Path) -> None:
    opened = SERVERS[name](tmp_path)
    assert set(OWN_SERVER_CASES[name]) == opened.stores.keys() - opened.by_hand
    opened.close()


@every_case
def test_what_is_written_is_read_back(scene) -> None:
    _, store, case = scene
    store.write([Change(None, case.first)])
    assert KINDS.settled(case.first, standing(store, case.first))
    if case.second:
        store.write([Change(standing(store, case.first), case.second)])
        assert KINDS.settled(case.second, standing(store, case.second))


@every_case
def test_reading_one_name_and_reading_all_say_the_same(scene) -> None:
    _, store, case = scene
    store.write([Change(None, case.first)])
    whole = next(r for r in store.read() if r.address == case.first.address)
    assert standing(store, case.first) == whole


@every_case
def test_removing_what_was_made_leaves_everything_as_it_was(scene) -> None:
    opened, store, case = scene
    start = reading(opened)
    store.write([Change(None, case.first)])
    store.write([Change(standing(store, case.first), None)])
    assert reading(opened) == start


@every_case
def test_what_is_not_ours_stays(scene) -> None:
    opened, store, case = scene
    start = reading(opened)
    store.write([Change(None, case.first)])
    assert reading(opened) >= start


@every_case
def test_making_what_exists_is_refused_as_stale(scene) -> None:
    opened, store, case = scene
    store.write([Change(None, case.first)])
    now = reading(opened)
    with pytest.raises(StalePlan):
        store.write([Change(None, case.first)])
    assert reading(opened) == now


@every_case
def test_removing_what_is_absent_is_refused_as_stale(scene) -> None:
    _, store, case = scene
    with pytest.raises(StalePlan):
        store.write([Change(case.first, None)])


@each_that_changes
def test_changing_what_somebody_else_changed_is_refused_as_stale(scene) -> None:
    opened, store, case = scene
    store.write([Change(None, case.first)])
    before = standing(store, case.first)
    store.write([Change(before, case.second)])
    now = reading(opened)
    with pytest.raises(StalePlan):
        store.write([Change(before, None)])
    assert reading(opened) == now


@every_case
def test_of_several_changes_in_one_write_all_are_made_or_none(scene) -> None:
    opened, store, case = scene
    made, again = Change(None, case.first), Change(None, case.first)
    if store.batch == 1:  # it writes one by one: the first is made before the second is asked for
        store.write([made])
    now = reading(opened)
    with pytest.raises(StalePlan):
        store.write([made, again] if store.batch > 1 else [again])
    assert reading(opened) == now


@pytest.mark.parametrize("opener", BY_HAND.values(), ids=BY_HAND)
def test_what_is_changed_by_hand_says_so_and_is_not_written(opener, tmp_path: Path) -> None:
    opened = opener(tmp_path)
    assert opened.by_hand == set(opened.stores)
    with pytest.raises(WriteError, match="by hand"):
        opened.stores[RRset.kind].write([Change(None, DNS_CASES["mx"].first)])
