"""What is remembered of a mailbox's last pass, for deciding whether its mail may be left to the new server."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.grade import Grade


@dataclass(frozen=True, slots=True)
class LastPass:
    """``copied``: when the last pass that got to its end began; ``judged``: when the last comparison began; its grade.

    ``brought``: when the last pass began that found a message to send. All are the beginnings, for what came to the
    source later was not seen.
    """

    copied: datetime | None = None
    judged: datetime | None = None
    grade: Grade | None = None
    brought: datetime | None = None

    def is_good(self, *, approved: bool) -> bool:
        """Whether the comparison lets the mail be left to the target; ``approved``: a person has looked into it."""
        return self.grade in {Grade.PERFECT, Grade.GOOD} or (approved and self.grade is Grade.INVESTIGATE)

    def quiet_at(self, quiet: timedelta) -> datetime | None:
        """From when on the source counts as quiet, if a pass that begins later finds nothing; None: it does now."""
        if self.brought is None or (self.copied is not None and self.copied >= self.brought + quiet):
            return None
        return self.brought + quiet
