"""The stages of a move, in their order."""

from enum import IntEnum


class Stage(IntEnum):
    """One more desired state; comparing stages reads as time."""

    PREPARE = 1
    OVERLAP = 2
    CUTOVER = 3
    HARDEN = 4
    DECOMMISSION = 5

    @property
    def label(self) -> str:
        """The word that stands in specs and plans."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> "Stage":
        """The stage with this word.

        Raises:
            ValueError: there is no such stage.

        """
        for stage in cls:
            if stage.label == label.lower():
                return stage
        msg = f"{label!r} is not a stage; the stages are {', '.join(s.label for s in cls)}"
        raise ValueError(msg)
