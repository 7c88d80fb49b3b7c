"""What a person asks of a pass over the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants of one pass. ``back``: from the new server to the old one, what came since the cutover."""

    addresses: Sequence[str] = ()
    back: bool = False
    since: datetime | None = None
    retry_refused: bool = False
