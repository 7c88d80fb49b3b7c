"""What is remembered of a mailbox's last pass, for deciding whether its mail may be left to the new server."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.mail.grade import Grade


@dataclass(frozen=True, slots=True)
class LastPass:
    """``copied``: when the last pass that got to its end began; ``judged``: when the last comparison began; its grade.

    Both are the beginnings, for what came to the source later was not seen.
    """

    copied: datetime | None = None
    judged: datetime | None = None
    grade: Grade | None = None
