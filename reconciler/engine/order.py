"""The changes of one layer in their order: pure, and the same for the same input."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from reconciler.errors import DependencyCycle
from reconciler.model.address import Address
from reconciler.model.change import Change, Verb


class _Point(StrEnum):
    """The kinds' order joins points, not changes, so that ten thousand mailboxes cost as many edges and no more."""

    BEGIN = "begin"
    MIDDLE = "middle"
    END = "end"


class _Moment(NamedTuple):
    """When a kind's makings, or its removals, begin, happen and are over."""

    kind: str
    removes: bool
    point: _Point


_Node = Address | _Moment


def order(changes: Iterable[Change]) -> list[Change]:
    """Makings after what they need, removals before it; kinds in their order; ties by address.

    Raises:
        DependencyCycle: resources need one another in a circle.

    """
    todo = {change.address: change for change in changes}
    needs = [edge for address, change in todo.items() for edge in _by_need(address, change, todo)]
    alone = {address for edge in needs for address in edge}
    together: dict[_Moment, list[Address]] = {}
    for address, change in todo.items():
        if address not in alone:
            together.setdefault(_moment(change, _Point.MIDDLE), []).append(address)
    sorter: TopologicalSorter[_Node] = TopologicalSorter()
    for first, second in (*needs, *_by_kind(todo, alone)):
        sorter.add(second, first)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(str(node) for node in error.args[1] if isinstance(node, Address))
        raise DependencyCycle(f"these resources need one another in a circle: {circle}") from error
    ordered: list[Change] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        addresses = [a for node in ready for a in ([node] if isinstance(node, Address) else together.get(node, ()))]
        ordered += [todo[address] for address in sorted(addresses)]
        sorter.done(*ready)
    return ordered


def needed_steps(change: Change) -> Iterable[Address]:
    """The addresses whose changes must be done before this one may run."""
    return change.after.needs() if change.after else ()


def _moment(change: Change, point: _Point) -> _Moment:
    return _Moment(change.address.kind, change.verb is Verb.DELETE, point)


def _by_kind(todo: Mapping[Address, Change], alone: Iterable[Address]) -> Iterator[tuple[_Node, _Node]]:
    """Pairs (first, second): a kind's makings after those of the kinds it names, its removals before them."""
    types = {change.address.kind: type(change.subject) for change in todo.values()}
    for kind, type_ in types.items():
        for removes in (False, True):
            begin, middle, end = (_Moment(kind, removes, point) for point in _Point)
            yield begin, middle
            yield middle, end
        for earlier in set(type_.after) & types.keys():
            yield _Moment(earlier, False, _Point.END), _Moment(kind, False, _Point.BEGIN)
            yield _Moment(kind, True, _Point.END), _Moment(earlier, True, _Point.BEGIN)
    for address in alone:
        yield _moment(todo[address], _Point.BEGIN), address
        yield address, _moment(todo[address], _Point.END)


def _by_need(address: Address, change: Change, todo: Mapping[Address, Change]) -> Iterator[tuple[Address, Address]]:
    """Where the order of kinds does not say it already: what is needed comes first, and goes last."""
    after = set(change.after.needs()) if change.after else set()
    before = set(change.before.needs()) if change.before else set()
    by_kind = type(change.subject).after
    for need in (after | before) - {address}:
        if need not in todo or (need.kind in by_kind and todo[need].verb is not Verb.DELETE):
            continue
        yield (need, address) if need in after else (address, need)
