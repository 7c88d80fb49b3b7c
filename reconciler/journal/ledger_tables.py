"""The tables of the mail ledger."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from reconciler.model.mail.ledger import FolderState

metadata = MetaData()

copies = Table(
    "mail_copies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(320), nullable=False),
    Column("source", String(16), nullable=False),
    Column("target", String(16), nullable=False),
    UniqueConstraint("account", "source", "target"),
)
folders = Table(
    "mail_folders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("copy", ForeignKey(copies.c.id), nullable=False, index=True),
    Column("source", LargeBinary, nullable=False),
    Column("target", LargeBinary, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in FolderState.__slots__
        if name not in {"number", "source", "target"}
    ),
)
messages = Table(
    "mail_messages",
    metadata,
    Column("folder", ForeignKey(folders.c.number), primary_key=True),
    Column("uid", Integer, primary_key=True),
    Column("fate", String(8), nullable=False),
    Column("target_uid", Integer, nullable=False),
    Column("flags", String, nullable=False),
    Column("words", String, nullable=False),
    Column("gone", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
batches = Table(
    "mail_batches",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("folder", ForeignKey(folders.c.number), nullable=False),
    Column("uids", String, nullable=False),
    Column("target_uidnext", Integer, nullable=False),
    Column("begun", DateTime, nullable=False),
)
days = Table(
    "mail_days",
    metadata,
    Column("copy", ForeignKey(copies.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("octets", Integer, nullable=False),
)
passes = Table(
    "mail_passes",
    metadata,
    Column("copy", ForeignKey(copies.c.id), primary_key=True),
    Column("copied", DateTime),
    Column("judged", DateTime),
    Column("grade", String(16)),
)
Index("mail_messages_target", messages.c.folder, messages.c.target_uid)
