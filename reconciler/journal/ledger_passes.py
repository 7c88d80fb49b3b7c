"""The last pass of each mailbox, as the ledger keeps it: read without making or changing a ledger."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from reconciler.errors import JournalError
from reconciler.journal.ledger_tables import copies, passes
from reconciler.model.mail.grade import Grade
from reconciler.model.mail.last_pass import LastPass


def read_passes(place: Path, source: str = "old", target: str = "new") -> Mapping[str, LastPass]:
    """Of each mailbox that was ever copied in that direction; nothing where there is no ledger.

    Raises:
        JournalError: it cannot be read.

    """
    if not place.exists():
        return {}
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(f"file:{quote(str(place))}?mode=ro", uri=True, timeout=30)
    )
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(passes.name):
                return {}
            rows = connection.execute(
                select(copies.c.account, passes.c.copied, passes.c.judged, passes.c.grade)
                .join(passes, passes.c.copy == copies.c.id)
                .where(copies.c.source == source, copies.c.target == target)
            )
            return {
                account: LastPass(_aware(copied), _aware(judged), Grade(grade) if grade else None)
                for account, copied, judged, grade in rows
            }
    except (SQLAlchemyError, ValueError) as error:
        raise JournalError(
            f"the mail ledger {place} cannot be read: {str(error).splitlines()[0]}. Without it nobody knows whether "
            "the mail is copied; mend the file, or move it away and copy again"
        ) from error
    finally:
        engine.dispose()


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None
