"""What happens on the way from a plan to its end."""

from dataclasses import dataclass

from reconciler.model.event import Event
from reconciler.model.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """A plan was made. ``untouched``: how many of the things that were read are not ours; None if nobody counted."""

    plan: Plan
    untouched: int | None = None


@dataclass(frozen=True, slots=True)
class RunBegun(Event):
    """The steps of a plan that may run are carried out from now on."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The run is over. ``failure``: why it did not get to its end; empty if it did."""

    failure: str = ""


@dataclass(frozen=True, slots=True)
class StepsBegun(Event):
    """These are being written now."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepsDone(Event):
    """These were written and read back."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepFoundDone(Event):
    """It was done already: an earlier run was cut short after its write."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepsStanding(Event):
    """These steps of an approved plan are behind us: what they lead to stands already."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepHeld(Event):
    """It does not run now; its verdict says why."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepsPutOff(Event):
    """The world turned out not to be ready for these; the run goes no further."""

    steps: tuple[Step, ...]
    why: str
