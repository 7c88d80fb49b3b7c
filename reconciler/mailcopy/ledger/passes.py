"""The last pass of each mailbox, as the ledger keeps it: read without making or changing a ledger."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from reconciler.errors import JournalError
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass

_PASSES: Final = """
SELECT c.account, p.copied, p.judged, p.grade, p.brought FROM mail_copies AS c JOIN mail_passes AS p ON p.copy = c.id
WHERE c.source = ? AND c.target = ?
"""
_KNOWN: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'mail_passes'"


def read_passes(place: Path, source: str = "old", target: str = "new") -> Mapping[str, LastPass]:
    """Of each mailbox that was ever copied in that direction; nothing where there is no ledger.

    Raises:
        JournalError: it cannot be read.

    """
    if not place.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(place))}?mode=ro", uri=True, timeout=30)) as connection:
            if not connection.execute(_KNOWN).fetchone()[0]:
                return {}
            return {
                account: LastPass(_aware(copied), _aware(judged), Grade(grade) if grade else None, _aware(brought))
                for account, copied, judged, grade, brought in connection.execute(_PASSES, (source, target))
            }
    except (sqlite3.Error, ValueError) as error:
        raise JournalError(
            f"the mail ledger {place} cannot be read: {error}. Without it nobody knows whether "
            "the mail is copied; mend the file, or move it away and copy again"
        ) from error


def _aware(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None
