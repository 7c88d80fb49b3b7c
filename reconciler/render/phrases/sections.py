"""The order in which a plan is read: stage by stage and, within a stage, place by place, as the steps run."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from reconciler.model.address import Place
from reconciler.model.plan import Plan, Step
from reconciler.model.stage import Stage


class Section(NamedTuple):
    """Steps that follow one another in one place; a place may come twice in a stage."""

    place: Place
    steps: tuple[Step, ...]


def sections(plan: Plan) -> Iterator[tuple[Stage, tuple[Section, ...]]]:
    """The stages that have steps."""
    for stage, steps in groupby(plan.steps, key=lambda step: step.stage):
        yield stage, tuple(_by_place(steps))


def _by_place(steps: Iterable[Step]) -> Iterator[Section]:
    for place, group in groupby(steps, key=lambda step: step.change.address.place):
        yield Section(place, tuple(group))
