"""Folders of a Dovecot that show messages of other folders (its virtual plugin): each message says where it lies."""

from collections.abc import Collection
from typing import Final

from reconciler.mailcopy.judge.connection import Connection
from reconciler.mailcopy.judge.rows import read_row

SHOWS_OTHERS: Final = "x-shows-others"
"""The mark that the mapping of folders knows (reconciler.mailcopy.model.special_use.NOT_MAIL)."""


def shows_others(connection: Connection, raw: bytes, held: int, others: Collection[bytes]) -> bool:
    """Whether every message in the folder lies in one of the others, so that it is judged there.

    Asked of one message first: a server that knows no X-MAILBOX says BAD, and is not asked for more.
    """
    if not held:
        return False
    return _lie_elsewhere(connection, raw, b"FETCH 1", 1, others) and _lie_elsewhere(
        connection, raw, b"UID FETCH 1:*", held, others
    )


def _lie_elsewhere(connection: Connection, raw: bytes, verb: bytes, held: int, others: Collection[bytes]) -> bool:
    homes = {}
    for parts in connection.ask(verb + b" (UID X-MAILBOX)", raw):
        if (told := read_row(parts)) is not None and told.uid is not None and told.mailbox is not None:
            homes[told.uid] = told.mailbox
    return connection.said.ok and len(homes) >= held and all(home in others for home in homes.values())
