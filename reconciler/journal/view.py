"""What can be asked of a journal without writing to it, and the journal that does not exist yet."""

from collections.abc import Collection, Mapping
from typing import Protocol

from reconciler.journal.records import BegunStep, Run
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.model.sighting import History
from reconciler.model.stage import Stage


class JournalView(Protocol):
    """The past of one move. Every method raises JournalError where the journal cannot be read."""

    def runs(self) -> tuple[Run, ...]:
        """Every run, oldest first."""

    def steps_of(self, run: int) -> tuple[BegunStep, ...]:
        """The steps that were begun in a run, in that order."""

    def written_steps(
        self, runs: Collection[int] | None = None, stages: Collection[Stage] | None = None
    ) -> tuple[BegunStep, ...]:
        """The steps of these runs and stages (all, if silent) that were or may have been written, newest last."""

    def baselines(self) -> Mapping[Address, Resource | None]:
        """For each address that was changed and not put back: the value before the first change."""

    def histories(self) -> Mapping[str, History]:
        """RRset name to its sightings."""


class NoJournal:
    """Before the first apply, or where the journal is not at hand (a pull request): nothing is known."""

    def runs(self) -> tuple[Run, ...]:
        """None."""
        return ()

    def steps_of(self, run: int) -> tuple[BegunStep, ...]:  # noqa: ARG002 - as JournalView has it
        """None."""
        return ()

    def written_steps(
        self,
        runs: Collection[int] | None = None,  # noqa: ARG002
        stages: Collection[Stage] | None = None,  # noqa: ARG002
    ) -> tuple[BegunStep, ...]:
        """None."""
        return ()

    def baselines(self) -> Mapping[Address, Resource | None]:
        """Nothing was changed."""
        return {}

    def histories(self) -> Mapping[str, History]:
        """Nothing was seen."""
        return {}
