"""The tables of the mail ledger, in SQLite's own words: see reconciler.mailcopy.ledger.sqlite for why."""

from typing import Final

from reconciler.mailcopy.model.ledger import FolderState

STATE: Final = tuple(name for name in FolderState.__slots__ if name != "number")
"""The columns of a folder's state beside its number."""

_NUMBERS: Final = "".join(f"  {name} INTEGER NOT NULL,\n" for name in STATE if name not in {"source", "target"})

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS mail_copies (
  id INTEGER NOT NULL PRIMARY KEY,
  account VARCHAR(320) NOT NULL,
  source VARCHAR(16) NOT NULL,
  target VARCHAR(16) NOT NULL,
  UNIQUE (account, source, target)
);
CREATE TABLE IF NOT EXISTS mail_folders (
  number INTEGER NOT NULL PRIMARY KEY,
  copy INTEGER NOT NULL REFERENCES mail_copies (id),
  source BLOB NOT NULL,
  target BLOB NOT NULL,
{_NUMBERS.rstrip().rstrip(",")}
);
CREATE INDEX IF NOT EXISTS ix_mail_folders_copy ON mail_folders (copy);
CREATE TABLE IF NOT EXISTS mail_messages (
  folder INTEGER NOT NULL REFERENCES mail_folders (number),
  uid INTEGER NOT NULL,
  fate VARCHAR(8) NOT NULL,
  target_uid INTEGER NOT NULL,
  flags VARCHAR NOT NULL,
  words VARCHAR NOT NULL,
  gone BOOLEAN NOT NULL,
  PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mail_messages_target ON mail_messages (folder, target_uid);
CREATE TABLE IF NOT EXISTS mail_shown (
  folder INTEGER NOT NULL REFERENCES mail_folders (number),
  uid INTEGER NOT NULL,
  message VARCHAR(20) NOT NULL,
  PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mail_shown_message ON mail_shown (message);
CREATE TABLE IF NOT EXISTS mail_approved (
  folder INTEGER NOT NULL REFERENCES mail_folders (number),
  uid INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail_batches (
  number INTEGER NOT NULL PRIMARY KEY,
  folder INTEGER NOT NULL REFERENCES mail_folders (number),
  uids VARCHAR NOT NULL,
  target_uidnext INTEGER NOT NULL,
  begun DATETIME NOT NULL
);
CREATE TABLE IF NOT EXISTS mail_days (
  copy INTEGER NOT NULL REFERENCES mail_copies (id),
  day DATE NOT NULL,
  octets INTEGER NOT NULL,
  PRIMARY KEY (copy, day)
);
CREATE TABLE IF NOT EXISTS mail_passes (
  copy INTEGER NOT NULL PRIMARY KEY REFERENCES mail_copies (id),
  copied DATETIME,
  judged DATETIME,
  grade VARCHAR(16),
  brought DATETIME
);
"""
"""Times are UTC without saying so, ``YYYY-MM-DD HH:MM:SS.ffffff``; days are the clock's; ``uids`` as IMAP writes sets.

SQLite numbers an INTEGER PRIMARY KEY itself, one more than the highest there is.
"""


def insertion(table: str, *columns: str) -> str:
    """INSERT with a place for each column."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names
