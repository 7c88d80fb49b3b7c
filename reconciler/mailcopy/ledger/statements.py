"""What the ledger asks its database, in SQLite's words (3.24 and newer)."""

from typing import Final

from reconciler.mailcopy.ledger.tables import STATE, insertion
from reconciler.mailcopy.model.ledger import FolderState

OPEN: Final = insertion("mail_folders", "copy", *STATE)
CLOSE: Final = f"UPDATE mail_folders SET {', '.join(f'{name} = ?' for name in STATE)} WHERE number = ?"  # noqa: S608 - our own words
RECORD: Final = "INSERT OR REPLACE INTO mail_messages VALUES (?, ?, ?, ?, ?, ?, 0)"
READ: Final = "SELECT uid, fate, target_uid, flags, words FROM mail_messages WHERE folder = ?"
TOLD: Final = "SELECT uid, words FROM mail_messages WHERE folder = ? AND fate = ? AND words <> ''"
APPROVE: Final = insertion("mail_approved", "folder", "uid", "digest").replace("INSERT", "INSERT OR IGNORE", 1)
APPROVED: Final = "SELECT uid, digest FROM mail_approved WHERE folder = ?"
FOLDERS: Final = f"SELECT {', '.join(FolderState.__slots__)} FROM mail_folders WHERE copy = ? ORDER BY number"  # noqa: S608 - our own words
OURS: Final = """
SELECT target_uid FROM mail_messages WHERE target_uid > 0 AND folder IN (
  SELECT number FROM mail_folders WHERE target = ? AND target_uidvalidity = ? AND number IN (
    SELECT max(number) FROM mail_folders WHERE copy = ? GROUP BY source))
"""
DOUBTS: Final = """
SELECT b.number, b.folder, b.uids, b.target_uidnext, b.begun
FROM mail_batches AS b JOIN mail_folders AS f ON f.number = b.folder WHERE f.copy = ? ORDER BY b.number
"""
REFUSED: Final = "fate = ? AND folder IN (SELECT number FROM mail_folders WHERE copy = ?)"
STILL_REFUSED: Final = """
SELECT f.source, m.uid, m.words FROM mail_messages AS m JOIN mail_folders AS f ON f.number = m.folder
WHERE m.fate = ? AND m.gone = 0 AND f.number IN (SELECT max(number) FROM mail_folders WHERE copy = ? GROUP BY source)
ORDER BY f.source, m.uid
"""
AGAIN: Final = f"""
UPDATE mail_folders SET uidnext = 1, messages = -1 WHERE number IN (SELECT folder FROM mail_messages WHERE {REFUSED})
"""  # noqa: S608 - our own words
FORGET: Final = f"DELETE FROM mail_messages WHERE {REFUSED}"  # noqa: S608 - our own words
PASSED: Final = """
INSERT INTO mail_passes (copy, copied, judged, grade, brought) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (copy) DO UPDATE SET
  copied = coalesce(excluded.copied, copied),
  judged = coalesce(excluded.judged, judged),
  grade = coalesce(excluded.grade, grade),
  brought = coalesce(excluded.brought, brought)
"""
