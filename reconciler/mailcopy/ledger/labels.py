"""One message in several folders of the source, as Gmail shows it: which of them it was copied from."""

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Final

from reconciler.mailcopy.ledger.tables import insertion
from reconciler.mailcopy.model.accounting import Fate

_NOTE: Final = insertion("mail_shown", "folder", "uid", "message").replace("INSERT", "INSERT OR REPLACE", 1)
_HOMES: Final = """
SELECT s.message, s.folder FROM mail_shown AS s JOIN mail_messages AS m ON m.folder = s.folder AND m.uid = s.uid
WHERE s.message IN (SELECT value FROM json_each(:messages)) AND s.folder IN (SELECT value FROM json_each(:folders))
  AND m.fate IN (:copied, :refused)
"""
_STRANDED: Final = """
SELECT s.folder, s.uid FROM mail_shown AS s JOIN mail_messages AS m ON m.folder = s.folder AND m.uid = s.uid
WHERE s.folder IN (SELECT value FROM json_each(:folders)) AND m.fate = :excluded AND m.gone = 0 AND NOT EXISTS (
  SELECT 1 FROM mail_shown AS o JOIN mail_messages AS n ON n.folder = o.folder AND n.uid = o.uid
  WHERE o.message = s.message AND o.folder IN (SELECT value FROM json_each(:among)) AND n.fate IN (:copied, :refused))
"""
_FATES: Final = {fate.name.lower(): fate.value for fate in Fate}


def note_shown(connection: sqlite3.Connection, folder: int, shown: Mapping[int, str]) -> None:
    """Source UID to the message that it stands for."""
    connection.executemany(_NOTE, [(folder, uid, message) for uid, message in shown.items()])


def homes(connection: sqlite3.Connection, folders: Collection[int], messages: Collection[str]) -> Mapping[str, int]:
    """Message to the folder, one of these, that it was copied from or refused in."""
    wanted = {"messages": json.dumps(sorted(messages)), "folders": json.dumps(sorted(folders)), **_FATES}
    return dict(connection.execute(_HOMES, wanted))


def forget_stranded(connection: sqlite3.Connection, folders: Collection[int], among: Collection[int]) -> None:
    """What was left to another folder and never came from one of ``among`` is to be looked at again in ``folders``."""
    wanted = {"folders": json.dumps(sorted(folders)), "among": json.dumps(sorted(among)), **_FATES}
    stranded = connection.execute(_STRANDED, wanted).fetchall()
    connection.executemany("DELETE FROM mail_messages WHERE folder = ? AND uid = ?", stranded)
    connection.executemany(
        "UPDATE mail_folders SET uidnext = 1, messages = -1 WHERE number = ?", {(folder,) for folder, _ in stranded}
    )
